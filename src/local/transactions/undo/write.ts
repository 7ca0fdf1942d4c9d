import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as filesystem from "../../../catalogue/filesystem.js"
import { encode, encodingOf } from "../../capabilities/filesystem/encodings.js"
import type { TrashService } from "../../store/Trash.js"
import { isAnyMade, Missing, missingAbove, removeMade } from "./directories.js"
import { foundFile, Left, left, leftBy, undoFile } from "./givenBack.js"
import { keepFile, KeptFile, placeOf, release } from "./keptFile.js"
import { make } from "./make.js"
import { isUntouched } from "./sight.js"

/** The file that was there comes back under its name, and the directories that were made for it go. */
export const writeUndo = (trash: TrashService) =>
  make(filesystem.write, { before: Schema.Struct({ file: KeptFile, missing: Missing }), after: Left }, {
    paths: ({ path }) => [path],
    before: (input, { workspace }) =>
      Effect.gen(function*() {
        const place = yield* placeOf(workspace, input.path, "followed")
        if (Option.isNone(place)) return Option.none()
        const missing = input.create_parents ? yield* missingAbove(workspace, place.value) : []
        const file = yield* keepFile(workspace, place.value, { copy: false, durable: true })
        return Option.some({ file, missing })
      }),
    after: ({ file }, { checksum, size }, _, { workspace }) => leftBy(workspace, file.path, { size, sha256: checksum }),
    found: ({ file, missing }, input, context) =>
      Effect.gen(function*() {
        const bytes = yield* encode(input.content, yield* encodingOf(input.encoding))
        const content = { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }
        const result = yield* foundFile(trash, context, file, content)
        // The directories are there before the file is.
        return result._tag === "NotDone" && (yield* isAnyMade(context.workspace, missing))
          ? { _tag: "Done" as const, after: left(file.was) }
          : result
      }).pipe(
        // What has no bytes in the encoding is not written.
        Effect.catchTag("InvalidInput", () => Effect.succeed({ _tag: "NotDone" as const }))
      ),
    undo: ({ file, missing }, became, context) =>
      Effect.tap(undoFile(trash, context, file, became), () => {
        // It came no further than a temporary file.
        const temporary = became._tag === "Left" && isUntouched(became.sight, file.was)
        return removeMade(context.workspace, missing, { temporary })
      }),
    release: ({ file }, context) => release(trash, context, file)
  })
