import * as Effect from "effect/Effect"
import { basename, dirname, resolve } from "node:path"
import { builtIn } from "../../catalogue/builtIn.js"
import type { FileRole } from "./compile.js"
import type { InvalidPolicy } from "./InvalidPolicy.js"
import type { Layer } from "./Layer.js"
import { parsePolicy } from "./parse.js"
import { readText } from "./policyFiles.js"
import { unusedPatterns } from "./unusedPatterns.js"

/** What a good policy file has, and what in it may be a slip of the pen. */
export interface CheckedPolicy {
  readonly patterns: number
  readonly conditions: number
  readonly rateLimits: number
  readonly warnings: ReadonlyArray<{ readonly line: number; readonly message: string }>
}

// A file in a folder `agents` is for the agent of its name, wherever else it may lie for now.
const roleOf = (file: string): FileRole | undefined => {
  const path = resolve(file)
  return basename(dirname(path)) === "agents"
    ? { layer: "agent", agent: basename(path).replace(/\.ya?ml$/i, "") }
    : undefined
}

const summary = (layer: Layer): CheckedPolicy => {
  const entries = [...layer.entries.values()].filter(({ line }) => line > 0)
  return {
    patterns: entries.length,
    conditions: entries.reduce((sum, { rules }) => sum + rules.length, 0),
    rateLimits: entries.filter(({ rateLimit }) => rateLimit !== undefined).length,
    warnings: unusedPatterns(layer, Object.keys(builtIn))
  }
}

/** Reads a policy file as a gateway would, without using it. */
export const checkPolicy = (file: string): Effect.Effect<CheckedPolicy, InvalidPolicy> =>
  readText(file).pipe(
    Effect.flatMap((text) => parsePolicy(text, file, roleOf(file) ?? "any")),
    Effect.map(summary)
  )
