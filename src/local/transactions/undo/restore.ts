import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as filesystem from "../../../catalogue/filesystem.js"
import type { KruxosError } from "../../../errors/KruxosError.js"
import type { CheckContext } from "../../recovery/EffectCheck.js"
import { originOf } from "../../recovery/trashEvidence.js"
import { storeUnavailable } from "../../store/agentFailure.js"
import { TrashEntry, type TrashService } from "../../store/Trash.js"
import type { Sight } from "../../workspace/KeptFiles.js"
import { trashNameOf, trashPathOf } from "../../workspace/pathForm.js"
import type { PathFailure, Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import type { Undone } from "../Undo.js"
import { isAnyMade, Missing, missingAbove, removeMade } from "./directories.js"
import { placeOf } from "./keptFile.js"
import { make } from "./make.js"
import { isAs, journalled, JournalledSight } from "./sight.js"
import { inTrashSince, Moment, type NamedEntry, present, takeFromTrash, unlessStoreFails } from "./trashEntries.js"

const State = Schema.Struct({
  name: Schema.String,
  entry: TrashEntry,
  /** What is in the trash. */
  content: JournalledSight,
  path: Schema.String,
  /** What is at the place that it gets. */
  was: JournalledSight,
  missing: Missing,
  since: Moment
})
type State = typeof State.Type

/** What was in the way, and is in the trash now. */
const After = Schema.Struct({
  displaced: Schema.NullOr(Schema.Struct({ name: Schema.String, trashPath: Schema.String }))
})

const undone: Undone = { _tag: "Undone" }

const stateOf = (trash: TrashService, trashPath: string, { agent, workspace }: CheckContext) =>
  Effect.gen(function*() {
    const name = yield* Effect.option(Effect.flatten(trashNameOf(trashPath)))
    if (Option.isNone(name)) return Option.none()
    const entry = yield* Effect.mapError(trash.find(trashPathOf(name.value)), storeUnavailable)
    if (Option.isNone(entry) || entry.value.agent !== agent) return Option.none()
    const content = journalled(yield* workspace.kept.lookInTrash(name.value))
    const place = yield* placeOf(workspace, entry.value.originalPath, "itself")
    if (content === null || Option.isNone(place)) return Option.none()
    return Option.some({
      name: name.value,
      entry: entry.value,
      content,
      path: place.value.display,
      was: journalled(yield* workspace.kept.look(place.value)),
      missing: yield* missingAbove(workspace, place.value),
      since: yield* Effect.mapError(
        present(trash, { agent, path: entry.value.originalPath }),
        storeUnavailable
      )
    })
  })

const displacedBy = (trash: TrashService, { agent, workspace }: CheckContext, { entry, name, since, was }: State) =>
  was === null ? Effect.succeed(null) : Effect.map(
    inTrashSince(trash, workspace, { agent, path: entry.originalPath }, since),
    (entries) => entries.find((other) => other.name !== name) ?? null
  )

/** The record comes first, as when a file is deleted. */
const record = (trash: TrashService, { entry }: State): Effect.Effect<void, SqlError> =>
  Effect.flatMap(
    trash.find(entry.trashPath),
    Option.match({
      onNone: () => Effect.asVoid(trash.add(entry)),
      onSome: () => Effect.void
    })
  )

const isTaken = (workspace: Workspace, path: WorkspacePath, name: string): Effect.Effect<boolean, PathFailure> =>
  workspace.moveToTrash(path, name).pipe(
    Effect.as(true),
    Effect.catchTags({
      // Somebody has put something into the directory.
      DirectoryNotEmpty: () => Effect.succeed(false),
      FileNotFound: () => Effect.succeed(false)
    })
  )

/** It was cut off with two names of what was in the way, which has its place. */
const forgetSecondName = (
  trash: TrashService,
  workspace: Workspace,
  { name, trashPath }: NamedEntry,
  inPlace: Sight
): Effect.Effect<void, PathFailure | SqlError> =>
  Effect.gen(function*() {
    const inTrash = yield* workspace.kept.lookInTrash(name)
    if (Option.isSome(inTrash) && inTrash.value.inode !== inPlace.inode) return
    if (Option.isSome(inTrash)) yield* workspace.dropFromTrash(name)
    yield* trash.remove(trashPath)
  })

const undoRestore = (
  trash: TrashService,
  { workspace }: CheckContext,
  state: State,
  displaced: NamedEntry | null
): Effect.Effect<Undone, PathFailure | SqlError> =>
  Effect.gen(function*() {
    const path = yield* workspace.resolve(state.path)
    const conflict: Undone = {
      _tag: "Conflict",
      resource: state.path,
      ...displaced === null ? {} : { savedAs: displaced.trashPath }
    }
    const seen = yield* workspace.kept.look(path)
    const now = journalled(seen)
    const inTrash = journalled(yield* workspace.kept.lookInTrash(state.name))
    if (inTrash === null) {
      if (!isAs(now, state.content)) return conflict
      yield* record(trash, state)
      if (!(yield* isTaken(workspace, path, state.name))) {
        yield* trash.remove(state.entry.trashPath)
        return conflict
      }
    } else if (now !== null && now.type !== "directory" && now.inode === inTrash.inode) {
      // It was cut off with two names of one file.
      yield* record(trash, state)
      if (Option.isSome(seen)) yield* workspace.kept.remove(path, seen.value)
    } else if (now !== null) {
      if (!isAs(now, state.was)) return conflict
      if (displaced !== null) yield* forgetSecondName(trash, workspace, displaced, now)
      return undone
    }
    if (displaced !== null && !(yield* takeFromTrash(trash, workspace, displaced, path))) return conflict
    if (displaced === null && state.was !== null) return conflict
    yield* removeMade(workspace, state.missing)
    return undone
  })

/** What was restored goes into the trash again, and what was in the way comes back. */
export const restoreUndo = (trash: TrashService) =>
  make(filesystem.restore, { before: State, after: After }, {
    paths: ({ trash_path }) => [trash_path],
    further: ({ trash_path }) => originOf(trash, trash_path),
    before: ({ trash_path }, context): Effect.Effect<Option.Option<State>, KruxosError> =>
      stateOf(trash, trash_path, context),
    after: (state, _, __, context) =>
      displacedBy(trash, context, state).pipe(
        Effect.map((displaced) => ({ displaced })),
        unlessStoreFails,
        Effect.orElseSucceed(() => ({ displaced: null }))
      ),
    found: (state, _, context) =>
      Effect.gen(function*() {
        const { workspace } = context
        const displaced = yield* displacedBy(trash, context, state)
        const inTrash = journalled(yield* workspace.kept.lookInTrash(state.name))
        const now = journalled(yield* Effect.flatMap(workspace.resolve(state.path), workspace.kept.look))
        // The directories are there before anything is in them.
        const isMade = yield* isAnyMade(workspace, state.missing)
        return inTrash !== null && isAs(now, state.was) && !isMade && displaced === null
          ? { _tag: "NotDone" as const }
          : { _tag: "Done" as const, after: { displaced } }
      }).pipe(
        unlessStoreFails,
        Effect.catchAll(() => Effect.succeed({ _tag: "Conflict" as const, resource: state.path }))
      ),
    undo: (state, { displaced }, context) =>
      undoRestore(trash, context, state, displaced).pipe(
        unlessStoreFails,
        Effect.catchAll((failure) =>
          Effect.as(
            Effect.logWarning(`What was restored to ${state.path} could not be taken back: ${failure.message}`),
            { _tag: "Conflict" as const, resource: state.path }
          )
        )
      ),
    // What it displaced is an entry of the trash like any other.
    release: () => Effect.void
  })
