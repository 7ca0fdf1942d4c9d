import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import * as filesystem from "../../catalogue/filesystem.js"
import { encode } from "../capabilities/filesystem/encodings.js"
import { diskAsResource, parentAsInput } from "../capabilities/filesystem/failures.js"
import type { Workspace, WorkspacePath } from "../workspace/Workspace.js"
import * as EffectCheck from "./EffectCheck.js"
import { changedMeanwhile, Evidence, isSame, lookThrough } from "./evidence.js"

const State = Schema.Struct({ target: Evidence })

interface Start {
  readonly size: number
  readonly sha256?: string | undefined
}

/** What follows the bytes that a file had; undefined where these are other bytes by now. */
export const added = (workspace: Workspace, path: WorkspacePath, start: Start, length: number) =>
  Effect.gen(function*() {
    const rest = yield* workspace.read(path, { offset: start.size, limit: length })
    if (rest.size < start.size) return undefined
    if (start.sha256 === undefined) return rest
    const head = yield* workspace.read(path, { limit: start.size })
    const isUnchanged = head.checksum === rest.checksum &&
      createHash("sha256").update(head.bytes).digest("hex") === start.sha256
    return isUnchanged ? rest : undefined
  })

/**
 * A long append can be cut off anywhere, and one that makes its file can be cut off before the first byte: what is missing
 * is appended then, and nothing twice.
 */
export const appendCheck = EffectCheck.make(filesystem.append, State, {
  paths: ({ path }) => [path],
  before: (input, { workspace }) =>
    Effect.flatMap(
      workspace.resolve(input.path),
      (path) => Effect.map(lookThrough(workspace, path), (target) => ({ target }))
    ),
  after: (input, { target }, { workspace }) =>
    Effect.gen(function*() {
      const path = yield* workspace.resolve(input.path)
      const now = yield* lookThrough(workspace, path)
      if (isSame(now, target)) return EffectCheck.notDone
      const unknown = EffectCheck.unknown(changedMeanwhile(path))
      const start: Start | undefined = target.type === "absent"
        ? { size: 0 }
        : target.type === "file"
        ? target
        : undefined
      if (now.type !== "file" || start === undefined) return unknown
      const bytes = yield* encode(input.content, "utf-8")
      if (now.size > start.size + bytes.length) return unknown
      const rest = yield* added(workspace, path, start, bytes.length)
      if (rest === undefined || rest.size > start.size + bytes.length) return unknown
      const count = rest.bytes.length
      if (!Buffer.from(bytes.subarray(0, count)).equals(rest.bytes)) return unknown
      if (count === bytes.length && (count > 0 || target.type === "absent")) {
        return EffectCheck.done({ path: path.display, new_size: rest.size })
      }
      // Written since, to what it was: somebody else did that, whatever was appended before.
      if (count === 0) return target.type === "absent" || bytes.length === 0 ? EffectCheck.notDone : unknown
      const finish = workspace.append(path, bytes.subarray(count)).pipe(
        Effect.map(({ size }) => ({ path: path.display, new_size: size })),
        Effect.catchTags({ ParentNotFound: parentAsInput("path"), DiskFull: diskAsResource })
      )
      return { _tag: "PartlyDone", finish }
    })
})
