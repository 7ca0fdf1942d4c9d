import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as filesystem from "../../../catalogue/filesystem.js"
import { diskAsResource } from "../../capabilities/filesystem/failures.js"
import type { TrashService } from "../../store/Trash.js"
import type { Workspace } from "../../workspace/Workspace.js"
import { Left, left, leftBy, undoFile } from "./givenBack.js"
import { conflict, keepFile, KeptFile, lookAt, placeOf, release } from "./keptFile.js"
import { make } from "./make.js"
import { isUntouched, JournalledSight } from "./sight.js"

const State = Schema.Struct({
  file: KeptFile,
  source: Schema.Struct({ path: Schema.String, was: JournalledSight })
})

const digestOf = (workspace: Workspace, path: string) =>
  workspace.resolve(path).pipe(
    Effect.flatMap((resolved) => workspace.read(resolved, { limit: 0 })),
    Effect.map(({ checksum, size }) => ({ sha256: checksum, size }))
  )

/** The file that was at the destination comes back, if there was one. */
export const copyUndo = (trash: TrashService) =>
  make(filesystem.copy, { before: State, after: Left }, {
    paths: ({ destination, source }) => [destination, source],
    before: (input, { workspace }) =>
      Effect.gen(function*() {
        const from = yield* placeOf(workspace, input.source, "followed")
        const to = yield* placeOf(workspace, input.destination, input.overwrite ? "followed" : "itself")
        if (Option.isNone(from) || Option.isNone(to)) return Option.none()
        const source = { path: from.value.display, was: yield* lookAt(workspace, from.value.display) }
        // What may not be overwritten is not, and need not be kept.
        const options = { copy: false, durable: true }
        return Option.some({ source, file: yield* keepFile(workspace, to.value, options, () => input.overwrite) })
      }).pipe(Effect.catchTag("DiskFull", diskAsResource)),
    after: ({ file }, { checksum, size }, _, { workspace }) => leftBy(workspace, file.path, { size, sha256: checksum }),
    found: ({ file, source }, _, context) =>
      Effect.gen(function*() {
        const { workspace } = context
        const now = yield* lookAt(workspace, file.path)
        if (isUntouched(now, file.was)) return { _tag: "NotDone" as const }
        const theirs = conflict(trash, context, file)
        if (now?.type !== "file" || now.size !== source.was?.size) return yield* theirs
        // Large files are read only here, and count for nothing if the source has changed.
        const original =
          source.was.sha256 === undefined && isUntouched(yield* lookAt(workspace, source.path), source.was)
            ? (yield* digestOf(workspace, source.path)).sha256
            : source.was.sha256
        const copied = yield* digestOf(workspace, file.path)
        return original === copied.sha256 && now.size === copied.size
          ? { _tag: "Done" as const, after: left({ ...now, sha256: copied.sha256 }) }
          : yield* theirs
      }).pipe(Effect.catchAll(() => conflict(trash, context, file))),
    undo: ({ file }, became, context) => undoFile(trash, context, file, became),
    release: ({ file }, context) => release(trash, context, file)
  })
