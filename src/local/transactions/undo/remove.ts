import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as filesystem from "../../../catalogue/filesystem.js"
import type { CheckContext } from "../../recovery/EffectCheck.js"
import { storeUnavailable } from "../../store/agentFailure.js"
import type { TrashService } from "../../store/Trash.js"
import { trashNameOf } from "../../workspace/pathForm.js"
import type { PathFailure } from "../../workspace/Workspace.js"
import type { Undone } from "../Undo.js"
import { lookAt, placeOf } from "./keptFile.js"
import { make } from "./make.js"
import { isAs, isUntouched, journalled, JournalledSight } from "./sight.js"
import { inTrashSince, Moment, present, takeFromTrash, unlessStoreFails } from "./trashEntries.js"

const State = Schema.Struct({
  /** As it was given, which is what the record of the trash says. */
  given: Schema.String,
  path: Schema.String,
  was: JournalledSight,
  since: Moment
})
type State = typeof State.Type

/** Where it is in the trash. */
const After = Schema.Struct({ trashPath: Schema.String })

const undone: Undone = { _tag: "Undone" }

const undoRemove = (
  trash: TrashService,
  { workspace }: CheckContext,
  { path: place, was }: State,
  trashPath: string
): Effect.Effect<Undone, PathFailure | SqlError> =>
  Effect.gen(function*() {
    const conflict: Undone = { _tag: "Conflict", resource: place }
    const path = yield* workspace.resolve(place)
    const name = Option.getOrUndefined(yield* trashNameOf(trashPath))
    if (name === undefined) return conflict
    const deleted = yield* workspace.kept.lookInTrash(name)
    const now = journalled(yield* workspace.kept.look(path))
    if (Option.isNone(deleted)) {
      if (!isAs(now, was)) return conflict
      yield* trash.remove(trashPath)
      return undone
    }
    if (now === null && (yield* takeFromTrash(trash, workspace, { name, trashPath }, path))) return undone
    // It was cut off with two names of one file.
    if (now?.type === "file" && now.inode === deleted.value.inode) {
      yield* workspace.dropFromTrash(name)
      yield* trash.remove(trashPath)
      return undone
    }
    return { ...conflict, savedAs: trashPath }
  })

/** What was deleted comes back from the trash. */
export const removeUndo = (trash: TrashService) =>
  make(filesystem.remove, { before: State, after: After }, {
    paths: ({ path }) => [path],
    before: ({ path }, { agent, workspace }) =>
      Effect.gen(function*() {
        const given = yield* Effect.option(workspace.resolve(path))
        const place = yield* placeOf(workspace, path, "itself")
        if (Option.isNone(place) || Option.isNone(given)) return Option.none()
        const was = yield* lookAt(workspace, place.value.display)
        const since = yield* Effect.mapError(
          present(trash, { agent, path: given.value.display }),
          storeUnavailable
        )
        return Option.some({ given: given.value.display, path: place.value.display, was, since })
      }),
    after: (_, { trash_path }) => Effect.succeed({ trashPath: trash_path }),
    found: ({ given, path, since, was }, _, { agent, workspace }) =>
      Effect.gen(function*() {
        const [deletion] = yield* inTrashSince(trash, workspace, { agent, path: given }, since)
        if (deletion !== undefined) {
          return { _tag: "Done" as const, after: { trashPath: deletion.trashPath } }
        }
        const now = yield* lookAt(workspace, path)
        return isUntouched(now, was) || isAs(now, was)
          ? { _tag: "NotDone" as const }
          : { _tag: "Conflict" as const, resource: path }
      }).pipe(
        unlessStoreFails,
        Effect.catchAll(() => Effect.succeed({ _tag: "Conflict" as const, resource: path }))
      ),
    undo: (state, { trashPath }, context) =>
      undoRemove(trash, context, state, trashPath).pipe(
        unlessStoreFails,
        Effect.catchAll((failure) =>
          Effect.as(
            Effect.logWarning(`${state.path} could not be restored: ${failure.message}`),
            { _tag: "Conflict" as const, resource: state.path, savedAs: trashPath }
          )
        )
      ),
    // The trash keeps it as long as anything.
    release: () => Effect.void
  })
