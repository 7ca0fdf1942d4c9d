import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { ResourceExhausted } from "../../errors/general.js"
import type { QuotaExceeded } from "../../errors/state.js"
import { service } from "../inOrder.js"
import * as VersionedState from "./VersionedState.js"

export interface Options {
  /** How many bytes of keys and values the versions of one agent's keys may have, all that are kept; 100 MiB unless given. */
  readonly quotaBytes?: number | undefined
  /** How many keys an agent may have; 100,000 unless given. */
  readonly maximumKeys?: number | undefined
}

/** Times are milliseconds since 1970, sizes bytes of a value as JSON. Reading what is missing gives undefined, or nothing. */
export interface PersistentStateService {
  readonly quotaBytes: number
  /** Stores the JSON text of a value as a new version, from 1; versions go on where the key was removed before. */
  readonly set: (
    key: string,
    text: string,
    author: VersionedState.Author
  ) => Effect.Effect<
    { readonly version: number; readonly previousVersion: number },
    QuotaExceeded | ResourceExhausted | SqlError
  >
  /** Removes a key with all its versions, and says whether it was there. `source` is who does it. */
  readonly remove: (
    agent: string,
    key: string,
    by: Pick<VersionedState.Author, "at" | "source">
  ) => Effect.Effect<boolean, SqlError>
  /** The newest version, or the one of that number. */
  readonly get: (
    agent: string,
    key: string,
    version?: number
  ) => Effect.Effect<VersionedState.Version | undefined, SqlError>
  /** The newest versions, the newest first. Fails with ResourceExhausted where the values together are too large. */
  readonly history: (
    agent: string,
    key: string,
    limit?: number
  ) => Effect.Effect<ReadonlyArray<VersionedState.Version>, ResourceExhausted | SqlError>
  /** All versions without their values, the newest first. */
  readonly versions: (agent: string, key: string) => Effect.Effect<
    ReadonlyArray<{ readonly version: number; readonly size: number; readonly updatedAt: number }>,
    SqlError
  >
  /** The keys that begin with a prefix, in the order of their bytes; `count` and `totalBytes` are of all of them. */
  readonly list: (agent: string, prefix: string, limit?: number) => Effect.Effect<VersionedState.Listing, SqlError>
  /** The same with the values. Fails with ResourceExhausted where these together are too large. */
  readonly query: (
    agent: string,
    prefix: string
  ) => Effect.Effect<ReadonlyArray<VersionedState.Entry>, ResourceExhausted | SqlError>
  /** How many bytes of the quota are used. */
  readonly used: (agent: string) => Effect.Effect<number, SqlError>
  readonly newest: (agent: string, key: string) => Effect.Effect<VersionedState.Newest, SqlError>
  readonly trace: (
    agent: string,
    key: string,
    version: number,
    source: string
  ) => Effect.Effect<VersionedState.Trace, SqlError>
}

/** What agents keep for later sessions, each for itself. */
export class PersistentState
  extends Context.Tag("kruxos/local/store/PersistentState")<PersistentState, PersistentStateService>()
{}

const make = (options: Options) =>
  Effect.map(SqlClient.SqlClient, (sql): PersistentStateService => {
    const quotaBytes = options.quotaBytes ?? 100 * 1024 * 1024
    const state = VersionedState.make(sql, { quotaBytes, maximumKeys: options.maximumKeys ?? 100_000 })
    return {
      quotaBytes,
      set: (key, text, author) =>
        Effect.flatMap(state.write({ space: author.agent, key }, text, author, undefined), (written) => {
          switch (written._tag) {
            case "Written":
              return Effect.succeed({
                version: written.version,
                previousVersion: written.previousVersion
              })
            case "Refused":
              return Effect.fail(written.error)
            case "Conflict":
              return Effect.dieMessage("a write that expects no version conflicts with none")
          }
        }),
      remove: (agent, key, by) => state.remove({ space: agent, key }, by),
      get: (agent, key, version) => state.get({ space: agent, key }, version),
      history: (agent, key, limit = VersionedState.versionsKept) => state.history({ space: agent, key }, limit),
      versions: (agent, key) => state.versions({ space: agent, key }),
      list: (agent, prefix, limit) => state.list(agent, prefix, limit),
      query: (agent, prefix) => state.query(agent, prefix),
      used: state.used,
      newest: (agent, key) => state.newest({ space: agent, key }),
      trace: (agent, key, version, source) => state.trace({ space: agent, key }, version, source)
    }
  })

/** `PersistentState` in the store. */
export const layer = (options: Options = {}): Layer.Layer<PersistentState, never, SqlClient.SqlClient> =>
  service(PersistentState, make(options))
