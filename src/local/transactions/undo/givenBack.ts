import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { DiskFull } from "../../../errors/filesystem.js"
import type { CheckContext } from "../../recovery/EffectCheck.js"
import type { TrashService } from "../../store/Trash.js"
import type { Seen, Sight } from "../../workspace/KeptFiles.js"
import type { PathFailure, Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import type { Undone } from "../Undo.js"
import { conflict, keepFile, type KeptFile, lookAt, release, save } from "./keptFile.js"
import type { TypedFound } from "./make.js"
import { hasContent, isAs, isUntouched, journalled, JournalledSight } from "./sight.js"

/**
 * What a step left at a place. `presumed`: it looks like the step's, and nothing proves it, so that it goes to the trash. Unknown:
 * somebody else was there at the same time.
 */
export const Left = Schema.Union(
  Schema.TaggedStruct("Left", { sight: JournalledSight, presumed: Schema.Boolean }),
  Schema.TaggedStruct("Unknown", {})
)
export type Left = typeof Left.Type

/** The step's own file is there. */
export const left = (sight: Sight | null): Left => ({ _tag: "Left", sight, presumed: false })

/** Nobody can say any more what the step did. */
export const unknown: Left = { _tag: "Unknown" }

interface Content {
  readonly size: number
  readonly sha256: string
}

/** What a step left that says what it wrote. If somebody else has written since, that is not taken for it. */
export const leftBy = (workspace: Workspace, path: string, { sha256, size }: Content): Effect.Effect<Left> => {
  const gone: Sight = { type: "file", size, mode: 0, modified: 0, inode: "", links: 0, sha256 }
  return lookAt(workspace, path).pipe(
    Effect.orElseSucceed(() => null),
    Effect.map((now) => {
      const isIt = now?.type === "file" && now.size === size && (now.sha256 === undefined || now.sha256 === sha256)
      return left(isIt ? { ...now, sha256 } : gone)
    })
  )
}

/** Whether a step wrote a file whose content is known. */
export const foundFile = (
  trash: TrashService,
  context: CheckContext,
  file: KeptFile,
  content: Content
): Effect.Effect<TypedFound<Left>> =>
  Effect.gen(function*() {
    const now = yield* lookAt(context.workspace, file.path)
    if (isUntouched(now, file.was)) return { _tag: "NotDone" as const }
    if (hasContent(now, content)) return { _tag: "Done" as const, after: left(now) }
    return isAs(now, file.was) ? { _tag: "NotDone" as const } : yield* conflict(trash, context, file)
  }).pipe(Effect.catchAll(() => conflict(trash, context, file)))

const mostLooks = 5

interface Place {
  readonly trash: TrashService
  readonly context: CheckContext
  readonly path: WorkspacePath
  readonly file: KeptFile
  readonly inPlace: boolean
}

const undone: Undone = { _tag: "Undone" }

const isKept = ({ context, file }: Place): Effect.Effect<boolean, PathFailure> =>
  file.kept === null
    ? Effect.succeed(false)
    : Effect.map(context.workspace.kept.lookInTrash(file.kept), Option.isSome)

/** The end of the file is taken away, so that it stays the file that others have open or know by another name. */
const isCut = ({ file: { was }, inPlace }: Place, now: Seen): boolean =>
  inPlace && was !== null && was.type === "file" && now.type === "file" && now.inode === was.inode &&
  now.size >= was.size

/** Gives a place back what was there; false where it was changed under way. */
const giveBack = (place: Place, seen: Option.Option<Seen>): Effect.Effect<boolean, PathFailure | DiskFull> =>
  Effect.gen(function*() {
    const { context: { workspace: { kept } }, file, path } = place
    if (file.was === null) return Option.isNone(seen) || (yield* kept.remove(path, seen.value))
    if (Option.isSome(seen) && isCut(place, seen.value)) return yield* kept.cutBack(path, seen.value, file.was)
    return file.kept !== null && (yield* kept.putBack(file.kept, path, seen))
  })

/** A cut that was cut off itself has still to get its time, by which alone a large file is known. */
const isHalfCut = (place: Place, now: Seen): boolean =>
  isCut(place, now) && now.size === place.file.was?.size && now.modified !== place.file.was.modified &&
  (now.sha256 === undefined || now.sha256 === place.file.was.sha256)

// Nothing proves that it is not somebody else's.
const putAside = ({ context, path, trash }: Place) =>
  Effect.flatMap(
    keepFile(context.workspace, path, { copy: false, durable: false }),
    (present) => save(trash, context, present)
  )

const tryToUndo = (
  place: Place,
  became: Left,
  looks: number
): Effect.Effect<Undone, PathFailure | DiskFull> =>
  Effect.gen(function*() {
    const { context, file, path, trash } = place
    const seen = yield* context.workspace.kept.look(path)
    const now = journalled(seen)
    const again = looks > 1 ? tryToUndo(place, became, looks - 1) : conflict(trash, context, file)
    const canBeGivenBack = file.was === null || (yield* isKept(place))
    if (became._tag === "Left" && isAs(now, became.sight) && canBeGivenBack) {
      if (became.presumed) {
        yield* putAside(place)
        return yield* tryToUndo(place, { ...became, presumed: false }, looks)
      }
      return (yield* giveBack(place, seen)) ? undone : yield* again
    }
    if (Option.isSome(seen) && isHalfCut(place, seen.value)) {
      return (yield* giveBack(place, seen)) ? undone : yield* again
    }
    return isAs(now, file.was) ? undone : yield* conflict(trash, context, file)
  })

/**
 * Gives a file back what it had, if there is what the step has left; it may be called again, wherever it was cut off. `inPlace`: the
 * step has only added to the end.
 */
export const undoFile = (
  trash: TrashService,
  context: CheckContext,
  file: KeptFile,
  became: Left,
  { inPlace = false }: { readonly inPlace?: boolean } = {}
): Effect.Effect<Undone> =>
  context.workspace.resolve(file.path).pipe(
    Effect.flatMap((path) => tryToUndo({ trash, context, path, file, inPlace }, became, mostLooks)),
    Effect.catchAll((failure) =>
      Effect.zipRight(
        Effect.logWarning(`${file.path} could not be given back what it had: ${failure.message}`),
        conflict(trash, context, file)
      )
    ),
    Effect.tap((result) => result._tag === "Undone" ? release(trash, context, file) : Effect.void)
  )
