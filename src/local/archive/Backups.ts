import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { InvalidInput, ResourceExhausted } from "../../errors/general.js"
import { VaultLocked } from "../../errors/secrets.js"
import { BackupNotFound, type DecryptionFailed } from "../../errors/state.js"
import type { ReportProgress } from "../progress.js"
import { Agents } from "../store/Agents.js"
import { exportState } from "../store/stateExport.js"
import type { Restorer } from "../store/stateRestore.js"
import type { StoreUnavailable } from "../store/StoreUnavailable.js"
import { BackupFailed } from "./BackupFailed.js"
import * as BackupFiles from "./backupFiles.js"
import * as Format from "./backupFormat.js"
import { BackupPlace, type Place } from "./BackupPlace.js"
import { decryptionFailed, verify } from "./backupReader.js"
import * as BackupWriter from "./backupWriter.js"
import { keyOfFile, newDerivation } from "./fileKey.js"
import { restore as restoreFrom, type Restored } from "./restoring.js"

/** How many backups there can be. None is removed by itself. */
export const mostBackups = 100

/** What is known of a backup without its key; `scope` is `full`, or `agent:` and a name, `size` in bytes. */
export interface Backup {
  readonly id: string
  readonly createdAt: DateTime.Utc
  readonly scope: string
  readonly size: number
}

/** Encrypted copies of what agents keep and share. */
export interface Backups {
  /** Makes a backup of one agent's state, or of all. Nobody who writes meanwhile waits for it. Its progress counts records. */
  readonly create: (agent: string | undefined, progress?: ReportProgress) => Effect.Effect<
    Backup,
    BackupFailed | InvalidInput | ResourceExhausted | SqlError | StoreUnavailable | VaultLocked
  >
  /** All that are there, the newest first. A damaged one is left out, and logged. */
  readonly list: Effect.Effect<ReadonlyArray<Backup>, BackupFailed>
  /** Makes the state what it was, for all whom a backup holds, or for one agent; all of it or nothing. Its progress counts records. */
  readonly restore: (
    id: string,
    agent: string | undefined,
    by: Restorer,
    progress?: ReportProgress
  ) => Effect.Effect<
    Restored,
    BackupFailed | BackupNotFound | DecryptionFailed | InvalidInput | SqlError | VaultLocked
  >
  /** Gives a backup as it is on disk, in pieces. */
  readonly copy: <E, R>(
    id: string,
    take: (bytes: Uint8Array) => Effect.Effect<void, E, R>
  ) => Effect.Effect<void, E | BackupFailed | BackupNotFound, R>
}

const pieceBytes = 1024 * 1024

const notFound = (id: string) => {
  const backupId = id.slice(0, 128)
  return new BackupNotFound({ message: `There is no backup ${backupId}`, backupId })
}

const nowhere = () =>
  new VaultLocked({
    message: "This gateway keeps nothing on disk, and has no key for backups: start it with a data directory"
  })

const scopeOf = (agent: string | undefined) => agent === undefined ? "full" : `agent:${agent}`

const asBackup = ({ header, id, size }: BackupFiles.OpenBackup): Backup => ({
  id,
  createdAt: header.created_at,
  scope: header.scope,
  size
})

const newestFirst = (one: Backup, other: Backup) =>
  DateTime.distance(one.createdAt, other.createdAt) || (one.id < other.id ? 1 : -1)

const unknownAgent = (agent: string, why: string) =>
  new InvalidInput({ message: `agent: ${why} ${agent.slice(0, 64)}`, field: "agent", reason: why })

/** Backups in the directory of the gateway's data. */
const inPlace = (place: Place) =>
  Effect.gen(function*() {
    const agents = yield* Agents
    const sql = yield* SqlClient.SqlClient
    const files = BackupFiles.make(place.dataDirectory)
    // A passphrase takes 128 MiB to make a key of.
    const oneAtATime = (yield* Effect.makeSemaphore(1)).withPermits(1)

    const checkAgent = (agent: string) =>
      Effect.filterOrFail(agents.get(agent), Option.isSome, () => unknownAgent(agent, "there is no agent"))

    const checkRoom = Effect.flatMap(files.ids, ({ length }) =>
      length < mostBackups ? Effect.void : new ResourceExhausted({
        message:
          `There are ${length} backups, and ${mostBackups} at most are kept: remove files that are no longer needed`,
        resource: "backups",
        limit: mostBackups,
        current: length
      }))

    const create: Backups["create"] = (agent, progress) =>
      Effect.gen(function*() {
        if (agent !== undefined) {
          yield* checkAgent(agent)
        }
        yield* checkRoom
        const createdAt = yield* DateTime.now
        const id = BackupFiles.newBackupId(createdAt)
        const header: Format.Header = {
          id,
          scope: scopeOf(agent),
          created_at: createdAt,
          cipher: "aes-256-gcm",
          compression: "deflate",
          key: newDerivation(place),
          nonce: Format.newNonce()
        }
        const key = yield* keyOfFile(place, header.key, { ifMissing: "make" })
        if (key === undefined) {
          return yield* Effect.dieMessage("a new key is of the kind that the gateway has")
        }
        const sealing = { key, nonce: header.nonce, head: Format.headOf(header) }
        const size = yield* files.write(id, (append) =>
          Effect.gen(function*() {
            yield* append(sealing.head)
            const writer = BackupWriter.make(sealing, append)
            let written = 0
            yield* exportState(place.database, agent === undefined ? "full" : { agent }, (records) =>
              Effect.map(writer.add(records), () => {
                written += records.length
                progress?.({ progress: written })
              }))
            yield* writer.end
          }))
        return { id, createdAt, scope: header.scope, size }
      }).pipe(oneAtATime)

    const open = (
      id: string
    ): Effect.Effect<BackupFiles.OpenBackup, BackupFailed | BackupNotFound | DecryptionFailed, Scope.Scope> =>
      Effect.gen(function*() {
        if (!BackupFiles.isBackupId(id)) {
          return yield* notFound(id)
        }
        const opened = yield* files.open(id)
        switch (opened._tag) {
          case "Opened":
            return opened.backup
          case "Damaged":
            return yield* decryptionFailed(id, "it is damaged")
          case "Missing":
            return yield* notFound(id)
        }
      })

    const look = (id: string) =>
      open(id).pipe(
        Effect.map((backup) => [asBackup(backup)]),
        Effect.catchAll((failure) =>
          failure._tag === "BackupNotFound"
            ? Effect.succeed([])
            : Effect.as(Effect.logWarning(`Backup ${id} is left out of the list: ${failure.message}`), [])
        ),
        Effect.scoped
      )

    const list: Backups["list"] = Effect.flatMap(
      files.ids,
      (ids) =>
        Effect.map(Effect.forEach(ids, look), (found) =>
          found.flat().sort(newestFirst))
    )

    const checkPart = ({ header: { scope } }: BackupFiles.OpenBackup, agent: string | undefined) =>
      agent === undefined || scope === scopeOf(undefined) || scope === scopeOf(agent)
        ? Effect.void
        : unknownAgent(agent, "the backup holds nothing of agent")

    const restore: Backups["restore"] = (id, agent, by, progress) =>
      Effect.gen(function*() {
        const backup = yield* open(id)
        yield* checkPart(backup, agent)
        const key = yield* keyOfFile(place, backup.header.key, { ifMissing: "fail" })
        if (key === undefined) {
          return yield* decryptionFailed(
            id,
            backup.header.key.kind === "scrypt"
              ? "it was made with a passphrase, and the gateway has a key file"
              : "it was made with a key file, and the gateway has a passphrase"
          )
        }
        // Nobody waits for a backup that is of no use.
        yield* verify(backup, key)
        const restored = yield* Effect.provideService(
          restoreFrom(backup, key, agent, by, progress),
          SqlClient.SqlClient,
          sql
        )
        if (agent !== undefined && restored.agents.length === 0) {
          return yield* unknownAgent(agent, "the backup holds nothing of agent")
        }
        return restored
      }).pipe(Effect.scoped, oneAtATime)

    const copy: Backups["copy"] = (id, take) =>
      Effect.gen(function*() {
        const backup = yield* Effect.catchTag(
          open(id),
          "DecryptionFailed",
          (cause) => new BackupFailed({ message: cause.message, cause })
        )
        for (let position = 0; position < backup.size; position += pieceBytes) {
          yield* take(yield* backup.read(position, Math.min(pieceBytes, backup.size - position)))
        }
      }).pipe(Effect.scoped)

    return { create, list, restore, copy } satisfies Backups
  })

const withoutPlace: Backups = {
  create: nowhere,
  list: Effect.succeed([]),
  restore: (id) => notFound(id),
  copy: (id) => notFound(id)
}

/** The backups of the gateway. */
export const make: Effect.Effect<Backups, never, Agents | SqlClient.SqlClient> = Effect.flatMap(
  BackupPlace,
  (place): Effect.Effect<Backups, never, Agents | SqlClient.SqlClient> =>
    place === undefined ? Effect.succeed(withoutPlace) : inPlace(place)
)
