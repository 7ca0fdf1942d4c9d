import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Buffer } from "node:buffer"
import * as filesystem from "../../../catalogue/filesystem.js"
import { encode } from "../../capabilities/filesystem/encodings.js"
import { added } from "../../recovery/appendCheck.js"
import type { TrashService } from "../../store/Trash.js"
import type { Workspace } from "../../workspace/Workspace.js"
import { Left, left, undoFile, unknown } from "./givenBack.js"
import { conflict, keepFile, KeptFile, lookAt, placeOf, release } from "./keptFile.js"
import { make } from "./make.js"
import { isUntouched } from "./sight.js"

/** Whether a file is what was there before, and then a part of the text or all of it. */
const isBegun = (workspace: Workspace, { path: given, was }: KeptFile, text: Uint8Array) =>
  Effect.gen(function*() {
    const start = was ?? { size: 0 }
    const rest = yield* added(workspace, yield* workspace.resolve(given), start, text.length)
    if (rest === undefined || rest.size > start.size + text.length) return false
    const count = rest.bytes.length
    return (count > 0 || was === null) && Buffer.from(text.subarray(0, count)).equals(rest.bytes)
  })

/** What was added to the end is taken away again. The file is copied before, in case that somebody else changes it. */
export const appendUndo = (trash: TrashService) =>
  make(filesystem.append, { before: KeptFile, after: Left }, {
    paths: ({ path }) => [path],
    before: ({ path }, { workspace }) =>
      Effect.gen(function*() {
        const place = yield* placeOf(workspace, path, "followed")
        return Option.isNone(place)
          ? Option.none()
          : Option.some(yield* keepFile(workspace, place.value, { copy: true, durable: true }))
      }),
    after: (file, { new_size }, { content }, { workspace }) =>
      lookAt(workspace, file.path).pipe(
        Effect.map((now) => {
          const expected = (file.was?.size ?? 0) + Buffer.byteLength(content)
          return now?.type === "file" && new_size === expected && now.size === expected ? left(now) : unknown
        }),
        Effect.orElseSucceed(() => unknown)
      ),
    found: (file, { content }, context) =>
      Effect.gen(function*() {
        const now = yield* lookAt(context.workspace, file.path)
        if (isUntouched(now, file.was)) return { _tag: "NotDone" as const }
        const text = yield* encode(content, "utf-8")
        return now?.type === "file" && (yield* isBegun(context.workspace, file, text))
          ? { _tag: "Done" as const, after: left(now) }
          : yield* conflict(trash, context, file)
      }).pipe(Effect.catchAll(() => conflict(trash, context, file))),
    undo: (file, became, context) => undoFile(trash, context, file, became, { inPlace: true }),
    release: (file, context) => release(trash, context, file)
  })
