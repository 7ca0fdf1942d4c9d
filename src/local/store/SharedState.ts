import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { holding } from "../../connection/untilClose.js"
import { type ResourceExhausted, VersionConflict } from "../../errors/general.js"
import type { QuotaExceeded } from "../../errors/state.js"
import { service } from "../inOrder.js"
import * as VersionedState from "./VersionedState.js"

export interface Options {
  /** How many bytes of keys and values the versions of all keys may have, all that are kept; 500 MiB unless given. */
  readonly quotaBytes?: number | undefined
  /** How many keys there may be; 100,000 unless given. */
  readonly maximumKeys?: number | undefined
}

type Listener = (change: VersionedState.Change) => void

/** Times are milliseconds since 1970, sizes bytes of a value as JSON. Reading what is missing gives undefined, or nothing. */
export interface SharedStateService {
  readonly quotaBytes: number
  /**
   * Stores the JSON text of a value, if the key still has the expected version (0: if it is missing), and says the new one. Versions
   * go on where the key was removed before.
   */
  readonly set: (
    key: string,
    text: string,
    expectedVersion: number,
    author: VersionedState.Author
  ) => Effect.Effect<number, QuotaExceeded | ResourceExhausted | VersionConflict | SqlError>
  /** Removes a key, and says whether it was there. `source` is who does it. */
  readonly remove: (
    key: string,
    by: Pick<VersionedState.Author, "at" | "source">
  ) => Effect.Effect<boolean, SqlError>
  readonly get: (key: string) => Effect.Effect<VersionedState.Version | undefined, SqlError>
  /** The keys that begin with a prefix, in the order of their bytes; `count` and `totalBytes` are of all of them. */
  readonly list: (prefix: string, limit?: number) => Effect.Effect<VersionedState.Listing, SqlError>
  /** How many bytes of the quota are used. */
  readonly used: Effect.Effect<number, SqlError>
  readonly newest: (key: string) => Effect.Effect<VersionedState.Newest, SqlError>
  readonly trace: (key: string, version: number, source: string) => Effect.Effect<VersionedState.Trace, SqlError>
  /**
   * Tells every change that this gateway makes, from now on until the scope ends: in their order, before anything else is changed.
   * What is told must take no time.
   */
  readonly listen: (listener: Listener) => Effect.Effect<void, never, Scope.Scope>
  /** The number of the last change, by whichever gateway. */
  readonly lastChange: Effect.Effect<number, SqlError>
  /** What has changed behind a number, by whichever gateway, in order: of each key the last change, at most so many. */
  readonly changesBehind: (
    number: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<VersionedState.Change>, SqlError>
}

/** What all agents share. */
export class SharedState extends Context.Tag("kruxos/local/store/SharedState")<SharedState, SharedStateService>() {}

// No agent has this name.
const space = "*"

const make = (options: Options) =>
  Effect.map(SqlClient.SqlClient, (sql): SharedStateService => {
    const quotaBytes = options.quotaBytes ?? 500 * 1024 * 1024
    const state = VersionedState.make(sql, { quotaBytes, maximumKeys: options.maximumKeys ?? 100_000 })
    const listeners = new Set<Listener>()
    const tell = (change: VersionedState.Change) => {
      for (const listener of listeners) listener(change)
    }
    return {
      quotaBytes,
      set: (key, text, expectedVersion, author) =>
        Effect.flatMap(
          state.write({ space, key }, text, author, expectedVersion, tell),
          (written): Effect.Effect<number, QuotaExceeded | ResourceExhausted | VersionConflict> => {
            switch (written._tag) {
              case "Written":
                return Effect.succeed(written.version)
              case "Refused":
                return Effect.fail(written.error)
              case "Conflict":
                return new VersionConflict({
                  message: written.actual === 0
                    ? `There is no ${key}, and version ${expectedVersion} was expected`
                    : `${key} has version ${written.actual}, and ${expectedVersion} was expected`,
                  resource: key,
                  expectedVersion,
                  actualVersion: written.actual
                })
            }
          }
        ),
      remove: (key, by) => state.remove({ space, key }, by, tell),
      get: (key) => state.get({ space, key }),
      list: (prefix, limit) => state.list(space, prefix, limit),
      used: state.used(space),
      newest: (key) => state.newest({ space, key }),
      trace: (key, version, source) => state.trace({ space, key }, version, source),
      listen: (listener) => holding(listeners, listener),
      lastChange: state.lastChange(space),
      changesBehind: (number, limit) => state.changesBehind(space, number, limit)
    }
  })

/** `SharedState` in the store. */
export const layer = (options: Options = {}): Layer.Layer<SharedState, never, SqlClient.SqlClient> =>
  service(SharedState, make(options))
