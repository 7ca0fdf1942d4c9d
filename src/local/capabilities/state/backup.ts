import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import { type CapabilityUnavailable, ServiceUnavailable } from "../../../errors/general.js"
import type { BackupFailed } from "../../archive/BackupFailed.js"
import { type Backup, make as makeBackups } from "../../archive/Backups.js"
import { storeUnavailable } from "../../store/agentFailure.js"
import type { StoreUnavailable } from "../../store/StoreUnavailable.js"
import type { HandlersOf } from "../Handler.js"
import { ioError } from "./ioError.js"

const shown = ({ createdAt, id, scope, size }: Backup) => ({
  backup_id: id,
  created_at: createdAt,
  file_size_bytes: size,
  scope
})

const failed = ({ cause, message }: BackupFailed): CapabilityUnavailable => ioError(message, cause)

const unreadable = (cause: SqlError | StoreUnavailable) => ioError("The state cannot be read from the store", cause)

const unavailable = ({ cause, message }: BackupFailed) => new ServiceUnavailable({ message, service: "backups", cause })

const nothingWritten = ({ message }: { readonly message: string }) =>
  Effect.fail(ioError(`The backup was not exported: ${message}`, undefined))

/**
 * The handlers of `state.backup.*`. Which agent's state is backed up or put back is what the human sees who approves it; any agent may
 * ask for any.
 */
export const makeBackupHandlers = Effect.gen(function*() {
  const backups = yield* makeBackups
  const handlers: HandlersOf<BuiltIn, "state.backup"> = {
    "state.backup.create": ({ agent }, { progress }) =>
      Effect.map(backups.create(agent, progress), shown).pipe(
        Effect.catchTags({ BackupFailed: failed, SqlError: unreadable, StoreUnavailable: unreadable })
      ),

    "state.backup.list": () =>
      Effect.mapBoth(backups.list, {
        onFailure: failed,
        onSuccess: (found) => ({ backups: found.map(shown), count: found.length })
      }),

    "state.backup.restore": ({ agent, backup_id }, { progress, sessionId }) =>
      Effect.gen(function*() {
        const at = yield* Clock.currentTimeMillis
        const { agents, shared } = yield* backups.restore(backup_id, agent, { source: sessionId, at }, progress)
        return { restored: true, agents_restored: agents, shared_state_restored: shared }
      }).pipe(Effect.catchTags({ BackupFailed: unavailable, SqlError: storeUnavailable })),

    "state.backup.export": ({ backup_id, path: given }, { workspace }) =>
      Effect.gen(function*() {
        const path = yield* workspace.resolve(given)
        const { size } = yield* workspace.fill(path, { overwrite: false }, (append) => backups.copy(backup_id, append))
        return { exported_path: path.display, size_bytes: size }
      }).pipe(
        Effect.catchTags({
          BackupFailed: failed,
          PathOutOfScope: nothingWritten,
          ParentNotFound: nothingWritten,
          DestinationExists: nothingWritten,
          DiskFull: nothingWritten,
          PermissionDenied: nothingWritten
        })
      )
  }
  return handlers
})
