import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { DecryptionFailed } from "../../errors/state.js"
import type { ReportProgress } from "../progress.js"
import { type KeptKey, type Restorer, restoreSpace, type SpaceRestore } from "../store/stateRestore.js"
import type { BackupFailed } from "./BackupFailed.js"
import type { OpenBackup } from "./backupFiles.js"
import { decryptionFailed, records } from "./backupReader.js"
import { type KeyRecord, type Manifest, sharedSpace, type StateRecord, type VersionRecord } from "./stateRecords.js"

/** Whose state was put back. */
export interface Restored {
  readonly agents: ReadonlyArray<string>
  readonly shared: boolean
}

/** Which part of a backup is wanted: an agent's, or all. */
const partOf = ({ agents, shared }: Manifest, agent: string | undefined): Restored =>
  agent === undefined ? { agents, shared } : { agents: agents.filter((name) => name === agent), shared: false }

/** Puts records back as they come, and what is missing among them away. */
const makeRestoring = (sql: SqlClient.SqlClient, backup: OpenBackup, agent: string | undefined, by: Restorer) => {
  const unreadable = () => decryptionFailed(backup.id, "what it holds is not in order")
  let part: Restored | undefined
  let left = new Set<string>()
  let current: { readonly space: string; readonly restore: SpaceRestore } | undefined
  let pending: { readonly entry: KeyRecord; readonly versions: Array<VersionRecord> } | undefined

  const put = Effect.suspend(() => {
    const kept: KeptKey | undefined = pending
    pending = undefined
    return kept === undefined || current === undefined ? Effect.void : current.restore.put(kept)
  })

  const leave = Effect.suspend(() => {
    const { restore } = current ?? {}
    current = undefined
    return restore === undefined ? Effect.void : restore.finish
  })

  const enter = (space: string) =>
    Effect.gen(function*() {
      yield* put
      if (current?.space === space) return
      yield* leave
      if (left.delete(space)) current = { space, restore: yield* restoreSpace(sql, space, by) }
    })

  const take = (record: StateRecord): Effect.Effect<void, SqlError | DecryptionFailed> => {
    switch (record.kind) {
      case "manifest":
        return Effect.sync(() => {
          part = partOf(record, agent)
          left = new Set([...(part.shared ? [sharedSpace] : []), ...part.agents])
        })
      case "key":
        return Effect.map(enter(record.space), () => {
          pending = { entry: record, versions: [] }
        })
      case "version":
        return Effect.suspend(() => {
          if (pending === undefined) return unreadable()
          pending.versions.push(record)
          return Effect.void
        })
    }
  }

  const end = Effect.gen(function*() {
    yield* put
    yield* leave
    // Those that had nothing.
    for (const space of left) yield* Effect.flatMap(restoreSpace(sql, space, by), ({ finish }) => finish)
    return part ?? (yield* unreadable())
  })

  return { take: (found: ReadonlyArray<StateRecord>) => Effect.forEach(found, take, { discard: true }), end }
}

/**
 * Makes the state of those whom a backup holds, or of one of them, what it was; all of it or, where anything fails, nothing. What is
 * in the store waits meanwhile. Its progress counts records.
 */
export const restore = (
  backup: OpenBackup,
  key: Uint8Array,
  agent: string | undefined,
  by: Restorer,
  progress?: ReportProgress
): Effect.Effect<Restored, BackupFailed | DecryptionFailed | SqlError, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.gen(function*() {
      const { end, take } = makeRestoring(sql, backup, agent, by)
      let taken = 0
      yield* records(backup, key, (found) =>
        Effect.map(take(found), () => {
          taken += found.length
          progress?.({ progress: taken })
        }))
      return yield* end
    }).pipe(sql.withTransaction))
