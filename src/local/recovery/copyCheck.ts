import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as filesystem from "../../catalogue/filesystem.js"
import { maximumContent } from "../workspace/fileContent.js"
import * as EffectCheck from "./EffectCheck.js"
import {
  changedMeanwhile,
  Evidence,
  glanceAt,
  glanceThrough,
  isContent,
  isSame,
  lookAt,
  lookInto,
  lookThrough,
  readWhole
} from "./evidence.js"

const State = Schema.Struct({ source: Evidence, target: Evidence })

/** A copy is one step, as a write is. The digest of a large source is taken afterwards, if the source is as it was. */
export const copyCheck = EffectCheck.make(filesystem.copy, State, {
  paths: ({ destination, source }) => [source, destination],
  before: (input, { workspace }) =>
    Effect.gen(function*() {
      const destination = yield* workspace.resolve(input.destination)
      return {
        source: yield* lookThrough(workspace, yield* workspace.resolve(input.source)),
        target: yield* input.overwrite ? glanceThrough(workspace, destination) : glanceAt(workspace, destination)
      }
    }),
  after: (input, { source, target }, { workspace }) =>
    Effect.gen(function*() {
      const from = yield* workspace.resolve(input.source)
      const path = yield* workspace.resolve(input.destination)
      const now = yield* input.overwrite ? lookInto(workspace, path) : lookAt(workspace, path, maximumContent)
      if (isSame(now, target)) return EffectCheck.notDone
      const unknown = EffectCheck.unknown(changedMeanwhile(path))
      if (source.type !== "file" || now.type !== "file" || now.size !== source.size) return unknown
      const original = source.sha256 === undefined ? yield* readWhole(workspace, from) : source
      if (original.type !== "file" || original.sha256 === undefined || !isSame(original, source)) return unknown
      const content = { size: original.size, sha256: original.sha256 }
      if (!isContent(now.sha256 === undefined ? yield* readWhole(workspace, path) : now, content)) return unknown
      return isContent(target, content) ? EffectCheck.notDone : EffectCheck.done({
        source: from.display,
        destination: path.display,
        size: content.size,
        checksum: content.sha256
      })
    })
})
