import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as filesystem from "../../catalogue/filesystem.js"
import { encode, encodingOf } from "../capabilities/filesystem/encodings.js"
import * as EffectCheck from "./EffectCheck.js"
import { changedMeanwhile, Evidence, isContent, isSame, lookThrough } from "./evidence.js"

const State = Schema.Struct({ target: Evidence })

/**
 * A write is one step: the file has the old bytes or the new ones. What is there before that step (new parent directories,
 * a temporary file) is no effect. A file that had the content before can be written again.
 */
export const writeCheck = EffectCheck.make(filesystem.write, State, {
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
      const bytes = yield* encode(input.content, yield* encodingOf(input.encoding))
      const content = { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }
      if (!isContent(now, content)) return EffectCheck.unknown(changedMeanwhile(path))
      return isContent(target, content)
        ? EffectCheck.notDone
        : EffectCheck.done({ path: path.display, size: content.size, checksum: content.sha256 })
    })
})
