import { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { keptFor } from "../../capabilities/filesystem/trash.js"
import type { CheckContext } from "../../recovery/EffectCheck.js"
import { deletedSince } from "../../recovery/trashEvidence.js"
import type { TrashEntry, TrashService } from "../../store/Trash.js"
import { trashNameOf, trashPathOf } from "../../workspace/pathForm.js"
import type { PathFailure, Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import { newKeptName } from "./keptNames.js"

/** Dies of a store that fails: that is nobody's change, and what was cut off by it can be gone on with. */
export const unlessStoreFails = <A, E, R>(
  effect: Effect.Effect<A, E | SqlError, R>
): Effect.Effect<A, Exclude<E, SqlError>, R> =>
  Effect.catchIf(
    effect,
    (failure): failure is Extract<E | SqlError, SqlError> => failure instanceof SqlError,
    Effect.die
  )

/** An entry of the trash by its name in the trash folder. */
export interface NamedEntry {
  readonly name: string
  readonly trashPath: string
}

const named = ({ trashPath }: TrashEntry): ReadonlyArray<NamedEntry> =>
  trashNameOf(trashPath).pipe(
    Option.getRight,
    Option.flatten,
    Option.map((name) => ({ name, trashPath })),
    Option.toArray
  )

/** What is deleted from a path after a moment: the records of that very moment are told apart by their names. */
export const Moment = Schema.Struct({ at: Schema.Number, known: Schema.Array(Schema.String) })
type Moment = typeof Moment.Type

interface Deletion {
  readonly agent: string
  readonly path: string
}

/** The present moment, for {@link inTrashSince}. */
export const present = (trash: TrashService, deletion: Deletion): Effect.Effect<Moment, SqlError> =>
  Effect.gen(function*() {
    const at = yield* Clock.currentTimeMillis
    const entries = yield* deletedSince(trash, { ...deletion, since: at })
    return { at, known: entries.map(({ trashPath }) => trashPath) }
  })

/** What an agent has put into the trash from a path since then, and is still there. */
export const inTrashSince = (
  trash: TrashService,
  workspace: Workspace,
  deletion: Deletion,
  { at, known }: Moment
): Effect.Effect<ReadonlyArray<NamedEntry>, PathFailure | SqlError> =>
  Effect.flatMap(deletedSince(trash, { ...deletion, since: at }), (entries) =>
    Effect.filter(
      entries.flatMap(named).filter(({ trashPath }) => !known.includes(trashPath)),
      ({ name }) => Effect.map(workspace.kept.lookInTrash(name), Option.isSome)
    ))

/**
 * Moves a file or an empty directory to the agent's trash, to be restored to where it was before; undefined where nothing is there
 * any more, or it cannot be moved.
 */
export const moveToAgentsTrash = (
  trash: TrashService,
  { agent, workspace }: CheckContext,
  path: WorkspacePath,
  originalPath: string
): Effect.Effect<string | undefined> =>
  Effect.gen(function*() {
    const seen = yield* workspace.kept.look(path)
    if (Option.isNone(seen)) return undefined
    const { size, type } = seen.value
    const name = yield* newKeptName(path)
    const trashPath = trashPathOf(name)
    const recoverableUntil = DateTime.addDuration(yield* DateTime.now, keptFor)
    const kind = type === "directory" ? "directory" : "file"
    yield* trash.add({ trashPath, originalPath, agent, kind, size, recoverableUntil })
    yield* Effect.tapError(workspace.moveToTrash(path, name), () => Effect.ignore(trash.remove(trashPath)))
    return trashPath
  }).pipe(
    Effect.uninterruptible,
    unlessStoreFails,
    Effect.catchAll((failure) =>
      Effect.as(Effect.logWarning(`${path.display} could not be put into the trash: ${failure.message}`), undefined)
    )
  )

/** Puts an entry of the trash back to where nothing is, and forgets its record. False: something is there, or the entry is not. */
export const takeFromTrash = (
  trash: TrashService,
  workspace: Workspace,
  { name, trashPath }: NamedEntry,
  path: WorkspacePath
): Effect.Effect<boolean, PathFailure | SqlError> =>
  workspace.restoreFromTrash(name, path).pipe(
    Effect.zipRight(trash.remove(trashPath)),
    Effect.as(true),
    Effect.uninterruptible,
    Effect.catchTags({
      DestinationExists: () => Effect.succeed(false),
      FileNotFound: () => Effect.succeed(false),
      DiskFull: () => Effect.succeed(false)
    })
  )
