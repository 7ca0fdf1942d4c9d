import type { Layer } from "./Layer.js"
import { suggestion } from "./nearest.js"
import { patternsOf } from "./patterns.js"

/** A pattern that fits no capability, and says nothing therefore. */
export interface UnusedPattern {
  readonly line: number
  readonly message: string
}

/** The patterns of a layer's file that fit none of the capabilities: most are slips of the pen. */
export const unusedPatterns = (
  { entries, template }: Layer,
  capabilities: Iterable<string>
): ReadonlyArray<UnusedPattern> => {
  const names = [...capabilities]
  const known = new Set(names.flatMap(patternsOf))
  return [...entries.values()]
    .filter(({ line, pattern }) => !known.has(pattern) && (line > 0 || template === undefined))
    .map(({ line, pattern }) => ({
      line,
      message: `${pattern} fits no capability${suggestion(pattern, pattern.endsWith(".*") ? known : names)}`
    }))
}
