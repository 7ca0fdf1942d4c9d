import type { SqlError } from "@effect/sql/SqlError"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Buffer } from "node:buffer"
import type * as filesystem from "../../../catalogue/filesystem.js"
import { FileNotFound, TrashEntryNotFound } from "../../../errors/filesystem.js"
import { InvalidInput } from "../../../errors/general.js"
import { Identifiers, type IdentifiersService } from "../../Identifiers.js"
import { storeUnavailable } from "../../store/agentFailure.js"
import { Trash, type TrashEntry, type TrashService } from "../../store/Trash.js"
import { trashNameOf, trashPathOf } from "../../workspace/pathForm.js"
import type { Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import type { Handler } from "../Handler.js"
import { diskAsResource, inField } from "./failures.js"

/** How long a deleted file can be restored. */
export const keptFor = Duration.hours(24)

/** A name of at most 255 bytes that tells what was deleted. */
const newTrashName = (path: WorkspacePath, { hexadecimal }: IdentifiersService): string => {
  let name = path.segments.at(-1) ?? ""
  while (Buffer.byteLength(name) > 200) name = [...name].slice(0, -1).join("")
  return `${hexadecimal(16)}-${name}`
}

/** The records of what was deleted, and what their names are drawn from. */
interface Bin {
  readonly trash: TrashService
  readonly identifiers: IdentifiersService
}

const toTrash = ({ identifiers, trash }: Bin, agent: string, workspace: Workspace, path: WorkspacePath) =>
  Effect.gen(function*() {
    const status = yield* Effect.flatMap(
      workspace.status(path),
      Option.match({
        onNone: () =>
          Effect.fail(new FileNotFound({ message: `There is nothing at ${path.display}`, path: path.display })),
        onSome: Effect.succeed
      })
    )
    const name = newTrashName(path, identifiers)
    const trashPath = trashPathOf(name)
    const now = yield* DateTime.now
    // The record comes first: one without a file does no harm, but a file without one could not be restored.
    const entry = yield* trash.add({
      trashPath,
      originalPath: path.display,
      agent,
      kind: status.type === "directory" ? "directory" : "file",
      size: status.size,
      recoverableUntil: DateTime.addDuration(now, keptFor)
    }).pipe(Effect.mapError(storeUnavailable))
    // Not interruptible: once the file is in the trash, its record has to stay.
    yield* workspace.moveToTrash(path, name).pipe(
      Effect.tapError(() => Effect.ignore(trash.remove(trashPath))),
      Effect.uninterruptible
    )
    return { name, entry }
  })

const unknownEntry = (path: string): TrashEntryNotFound =>
  new TrashEntryNotFound({ message: `There is nothing at ${path} that could be restored, or no longer`, path })

const recoverableEntry = (trash: TrashService, agent: string, trashPath: string) =>
  Effect.gen(function*() {
    const found = yield* Effect.mapError(trash.find(trashPath), storeUnavailable)
    const now = yield* DateTime.now
    const isRecoverable = (entry: TrashEntry) => entry.agent === agent && DateTime.lessThan(now, entry.recoverableUntil)
    return Option.isSome(found) && isRecoverable(found.value) ? found.value : yield* unknownEntry(trashPath)
  })

const fromTrash = (workspace: Workspace, name: string, path: WorkspacePath) =>
  workspace.restoreFromTrash(name, path).pipe(
    Effect.catchTags({
      FileNotFound: () => Effect.fail(unknownEntry(trashPathOf(name))),
      DiskFull: (error) => Effect.fail(diskAsResource(error))
    })
  )

/** Restores a file where something else is, which goes to the trash instead, and comes back if the restore fails. */
const fromTrashInstead = (
  bin: Bin,
  agent: string,
  workspace: Workspace,
  name: string,
  path: WorkspacePath
) =>
  Effect.gen(function*() {
    const displaced = yield* toTrash(bin, agent, workspace, path).pipe(
      Effect.asSome,
      Effect.catchTags({
        // It is gone by now.
        FileNotFound: () => Effect.succeedNone,
        DirectoryNotEmpty: ({ message }) =>
          Effect.fail(new InvalidInput({ message, field: "overwrite", reason: "the directory is not empty" }))
      })
    )
    yield* Effect.tapError(fromTrash(workspace, name, path), () =>
      Option.match(displaced, {
        onNone: () => Effect.void,
        onSome: ({ entry, name }) =>
          Effect.ignore(Effect.zipRight(fromTrash(workspace, name, path), bin.trash.remove(entry.trashPath)))
      }))
  }).pipe(Effect.uninterruptible)

type Delete = Handler<typeof filesystem.remove>
type Restore = Handler<typeof filesystem.restore>

const remove = (bin: Bin): Delete => (input, { agent, workspace }) =>
  Effect.gen(function*() {
    const path = yield* workspace.resolve(input.path)
    const { entry } = yield* toTrash(bin, agent.name, workspace, path)
    return {
      deleted_path: path.display,
      trash_path: entry.trashPath,
      recoverable_until: entry.recoverableUntil
    }
  })

const restore = (bin: Bin): Restore => (input, { agent, workspace }) =>
  Effect.gen(function*() {
    const { trash } = bin
    const name = yield* Effect.mapError(trashNameOf(input.trash_path), inField("trash_path"))
    if (Option.isNone(name)) return yield* unknownEntry(input.trash_path)
    const { originalPath, trashPath } = yield* recoverableEntry(trash, agent.name, trashPathOf(name.value))
    const path = yield* workspace.resolve(originalPath)
    const restored = Effect.uninterruptible(fromTrash(workspace, name.value, path))
    yield* input.overwrite
      ? Effect.catchTag(restored, "DestinationExists", () =>
        fromTrashInstead(bin, agent.name, workspace, name.value, path))
      : restored
    // The file is back: a record that stays is one without a file, and does no harm.
    yield* Effect.ignoreLogged(trash.remove(trashPath))
    return { restored_path: path.display, trash_path: trashPath }
  })

/** The handlers of `filesystem.delete` and `filesystem.restore`. */
export const make: Effect.Effect<{ readonly remove: Delete; readonly restore: Restore }, never, Trash> = Effect.map(
  Effect.all({ trash: Trash, identifiers: Identifiers }),
  (bin) => ({ remove: remove(bin), restore: restore(bin) })
)

/**
 * Deletes for good what nobody restored in time, and returns how much that was. `workspaceOf` gives an agent's workspace;
 * what belongs to one without, or cannot be deleted now, is left for the next time. To be run now and then.
 */
export const sweepTrash = <R>(
  workspaceOf: (agent: string) => Effect.Effect<Option.Option<Workspace>, never, R>
): Effect.Effect<number, SqlError, Trash | R> =>
  Effect.gen(function*() {
    const trash = yield* Trash
    const drop = ({ agent, trashPath }: TrashEntry) =>
      Effect.gen(function*() {
        const workspace = yield* workspaceOf(agent)
        if (Option.isNone(workspace)) return false
        const name = Option.flatten(Option.getRight(trashNameOf(trashPath)))
        if (Option.isSome(name)) yield* workspace.value.dropFromTrash(name.value)
        return yield* trash.remove(trashPath)
      }).pipe(
        Effect.catchTags({
          PathOutOfScope: leaveFor(trashPath),
          InvalidInput: leaveFor(trashPath),
          PermissionDenied: leaveFor(trashPath),
          ResourceExhausted: leaveFor(trashPath)
        })
      )
    const expired = yield* Effect.flatMap(DateTime.now, trash.expired)
    return (yield* Effect.filter(expired, drop)).length
  })

const leaveFor = (trashPath: string) => (failure: { readonly message: string }) =>
  Effect.as(Effect.logWarning(`${trashPath} could not be deleted: ${failure.message}`), false)
