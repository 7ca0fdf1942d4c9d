import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as filesystem from "../../../catalogue/filesystem.js"
import type { DiskFull } from "../../../errors/filesystem.js"
import { diskAsResource } from "../../capabilities/filesystem/failures.js"
import type { CheckContext } from "../../recovery/EffectCheck.js"
import type { TrashService } from "../../store/Trash.js"
import { maximumContent } from "../../workspace/fileContent.js"
import type { PathFailure, WorkspacePath } from "../../workspace/Workspace.js"
import type { Undone } from "../Undo.js"
import { conflict, keepFile, KeptFile, lookAt, placeOf, release } from "./keptFile.js"
import { make } from "./make.js"
import { isAs, isUntouched, journalled } from "./sight.js"
import { moveToAgentsTrash } from "./trashEntries.js"

/**
 * What is moved, and what is overwritten. A small file is copied before, because its bytes would be lost with a change that somebody
 * makes at the new place.
 */
const State = Schema.Struct({ source: KeptFile, target: KeptFile })
type State = typeof State.Type

// Everything that counts is there before: what is moved stays the same.
const After = Schema.Struct({})

const undone: Undone = { _tag: "Undone" }

interface Move {
  readonly trash: TrashService
  readonly context: CheckContext
  readonly state: State
  readonly from: WorkspacePath
  readonly to: WorkspacePath
}

type Step = Effect.Effect<Undone | "again", PathFailure | DiskFull>

const told = (move: Move, file: KeptFile) => conflict(move.trash, move.context, file)

const isKept = ({ context: { workspace } }: Move, { kept }: KeptFile): Effect.Effect<boolean, PathFailure> =>
  kept === null ? Effect.succeed(false) : Effect.map(workspace.kept.lookInTrash(kept), Option.isSome)

/** Gives the new place, where nothing is by now, what it had; then the undoing has come to its end. */
const giveBackTarget = (move: Move, end: Undone): Step =>
  Effect.gen(function*() {
    const { context: { workspace }, state: { target }, to } = move
    if (target.was === null) return end
    if (target.kept === null || !(yield* isKept(move, target))) return yield* told(move, target)
    return (yield* workspace.kept.putBack(target.kept, to, Option.none())) ? end : "again"
  })

/** Something else is at the old place by now: what was moved goes to the trash, and the new place gets back what it had. */
const leaveSource = (move: Move, isDirectory: boolean): Step =>
  Effect.gen(function*() {
    const { context, state: { source }, to, trash } = move
    if (isDirectory) return yield* told(move, source)
    const savedAs = yield* moveToAgentsTrash(trash, context, to, source.path)
    if (savedAs === undefined) return yield* told(move, source)
    return yield* giveBackTarget(move, { _tag: "Conflict", resource: source.path, savedAs })
  })

/** Something else is at the new place by now: it stays, and the old place gets the copy of what it had. */
const leaveTarget = (move: Move, isSourceGone: boolean): Step =>
  Effect.gen(function*() {
    const { context: { workspace }, from, state: { source, target } } = move
    if (isSourceGone && source.kept !== null && (yield* isKept(move, source))) {
      if (!(yield* workspace.kept.putBack(source.kept, from, Option.none()))) return "again"
    }
    return yield* told(move, target)
  })

const tryOnce = (move: Move): Step =>
  Effect.gen(function*() {
    const { context: { workspace }, from, state: { source, target }, to } = move
    const old = journalled(yield* workspace.kept.look(from))
    const seen = yield* workspace.kept.look(to)
    const now = journalled(seen)
    const isBack = isAs(old, source.was)
    if (Option.isNone(seen)) {
      if (isBack) return yield* giveBackTarget(move, undone)
      return old === null
        ? yield* leaveTarget(move, true)
        : yield* giveBackTarget(move, yield* told(move, source))
    }
    const isTargetBack = target.was !== null && isAs(now, target.was) && !(yield* isKept(move, target))
    if (isBack && isTargetBack) return undone
    if (!isAs(now, source.was)) {
      return isBack && isAs(now, target.was) ? undone : yield* leaveTarget(move, old === null)
    }
    if (old === null) {
      return (yield* workspace.kept.moveBack(to, seen.value, from)) ? yield* giveBackTarget(move, undone) : "again"
    }
    // Two names of what was moved: it was cut off between giving the one and taking the other.
    if (old.inode === seen.value.inode) {
      return (yield* workspace.kept.remove(to, seen.value)) ? yield* giveBackTarget(move, undone) : "again"
    }
    return yield* leaveSource(move, seen.value.type === "directory")
  })

const mostLooks = 5

const tryToUndo = (move: Move, looks = mostLooks): Effect.Effect<Undone, PathFailure | DiskFull> =>
  Effect.flatMap(
    tryOnce(move),
    (result): Effect.Effect<Undone, PathFailure | DiskFull> =>
      result !== "again"
        ? Effect.succeed(result)
        : looks > 1
        ? tryToUndo(move, looks - 1)
        : told(move, move.state.target)
  )

const undoMove = (trash: TrashService, context: CheckContext, state: State): Effect.Effect<Undone> => {
  const { source, target } = state
  return Effect.all([context.workspace.resolve(source.path), context.workspace.resolve(target.path)]).pipe(
    Effect.flatMap(([from, to]) => tryToUndo({ trash, context, state, from, to })),
    Effect.catchAll((failure) =>
      Effect.zipRight(
        Effect.logWarning(`${source.path} could not be moved back: ${failure.message}`),
        conflict(trash, context, target)
      )
    ),
    Effect.tap((result) => result._tag === "Undone" ? releaseMove(trash, context, state) : Effect.void)
  )
}

const releaseMove = (trash: TrashService, context: CheckContext, { source, target }: State) =>
  Effect.zipRight(release(trash, context, source), release(trash, context, target))

/** What was moved gets its old name again, a directory with all that others have changed in it; what was overwritten comes back. */
export const moveUndo = (trash: TrashService) =>
  make(filesystem.move, { before: State, after: After }, {
    paths: ({ destination, source }) => [source, destination],
    before: (input, context) =>
      Effect.gen(function*() {
        const { workspace } = context
        const from = yield* placeOf(workspace, input.source, "itself")
        const to = yield* placeOf(workspace, input.destination, "itself")
        if (Option.isNone(from) || Option.isNone(to)) return Option.none()
        // What may not be overwritten is not, and need not be kept.
        const target = yield* keepFile(
          workspace,
          to.value,
          { copy: false, durable: true },
          () => input.overwrite
        )
        const source = yield* keepFile(
          workspace,
          from.value,
          { copy: true, durable: false },
          ({ size }) => size <= maximumContent && !(target.was !== null && !input.overwrite)
        ).pipe(Effect.onError(() => release(trash, context, target)))
        return Option.some({ source, target })
      }).pipe(Effect.catchTag("DiskFull", diskAsResource)),
    after: () => Effect.succeed({}),
    found: ({ source, target }, _, context) =>
      Effect.gen(function*() {
        const atOld = yield* lookAt(context.workspace, source.path)
        const atNew = yield* lookAt(context.workspace, target.path)
        const isStill = isUntouched(atOld, source.was) || (source.was?.type === "directory" && isAs(atOld, source.was))
        if (isStill && isUntouched(atNew, target.was)) return { _tag: "NotDone" as const }
        return source.was !== null && isAs(atNew, source.was)
          ? { _tag: "Done" as const, after: {} }
          : isStill
          ? { _tag: "NotDone" as const }
          : yield* conflict(trash, context, target)
      }).pipe(Effect.catchAll(() => conflict(trash, context, target))),
    undo: (state, _, context) => undoMove(trash, context, state),
    release: (state, context) => releaseMove(trash, context, state)
  })
