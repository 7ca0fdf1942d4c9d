import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as network from "../../../catalogue/network.js"
import { diskAsResource } from "../../capabilities/filesystem/failures.js"
import type { TrashService } from "../../store/Trash.js"
import { foundFile, Left, leftBy, undoFile } from "./givenBack.js"
import { conflict, keepFile, KeptFile, lookAt, placeOf, release } from "./keptFile.js"
import { make } from "./make.js"
import { isUntouched } from "./sight.js"

/** The file that was at the place comes back, if there was one. */
export const downloadUndo = (trash: TrashService) =>
  make(network.download, { before: KeptFile, after: Left }, {
    paths: ({ path }) => [path],
    before: ({ overwrite, path }, { workspace }) =>
      Effect.gen(function*() {
        const place = yield* placeOf(workspace, path, overwrite ? "followed" : "itself")
        if (Option.isNone(place)) return Option.none()
        // What may not be overwritten is not, and need not be kept.
        return Option.some(yield* keepFile(workspace, place.value, { copy: false, durable: true }, () => overwrite))
      }).pipe(Effect.catchTag("DiskFull", diskAsResource)),
    after: (file, { checksum, size }, _, { workspace }) => leftBy(workspace, file.path, { size, sha256: checksum }),
    found: (file, { expected_checksum: expected }, context) =>
      Effect.gen(function*() {
        const now = yield* lookAt(context.workspace, file.path)
        if (isUntouched(now, file.was)) return { _tag: "NotDone" as const }
        if (now?.type !== "file" || now.inode === file.was?.inode) return yield* conflict(trash, context, file)
        if (expected !== undefined && now.sha256 !== undefined) {
          return yield* foundFile(trash, context, file, { size: now.size, sha256: expected.toLowerCase() })
        }
        // Nobody knows what the host would have sent.
        return { _tag: "Done" as const, after: { _tag: "Left" as const, sight: now, presumed: true } }
      }).pipe(Effect.catchAll(() => conflict(trash, context, file))),
    undo: (file, became, context) => undoFile(trash, context, file, became),
    release: (file, context) => release(trash, context, file)
  })
