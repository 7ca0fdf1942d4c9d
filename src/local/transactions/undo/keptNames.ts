import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import { randomBytes } from "node:crypto"
import type { WorkspacePath } from "../../workspace/Workspace.js"

const form = /^kept-([0-9a-z]{1,9})-[0-9a-f]{32}-/

/** A name of the trash folder for what is kept of a file: it says since when, and what it is. */
export const newKeptName = (path: WorkspacePath): Effect.Effect<string> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    let name = path.segments.at(-1) ?? ""
    while (Buffer.byteLength(name) > 200) name = [...name].slice(0, -1).join("")
    return `kept-${now.toString(36)}-${randomBytes(16).toString("hex")}-${name}`
  })

/** Since when something is kept, in milliseconds since 1970; undefined for any other name. */
export const keptSince = (name: string): number | undefined => {
  const since = form.exec(name)?.[1]
  return since === undefined ? undefined : Number.parseInt(since, 36)
}
