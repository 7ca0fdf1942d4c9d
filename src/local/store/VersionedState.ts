import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import type { ResourceExhausted } from "../../errors/general.js"
import * as LibsqlClient from "./LibsqlClient.js"
import * as overlaid from "./overlaidState.js"
import * as StateOverlay from "./StateOverlay.js"
import {
  committed as whatIsCommitted,
  type Entry,
  type Listing,
  type Reader,
  TooLarge,
  type Version,
  type VersionSummary
} from "./stateReading.js"
import * as rows from "./stateRows.js"
import * as statements from "./stateStatements.js"
import {
  type Author,
  type Change,
  changeOf,
  count,
  decideRemoved,
  decideStored,
  forgetOldest,
  type Limits,
  makeSpace,
  type NotWritten,
  type Place,
  put,
  readStanding,
  totalOfVersions
} from "./stateWrites.js"
import type { RowsOf } from "./TransactionLevel.js"

export type { Entry, Listing, Summary, Version, VersionSummary } from "./stateReading.js"
export type { Author, Change, Limits, Place } from "./stateWrites.js"
export { versionsKept } from "./stateWrites.js"

/** What a write comes to. */
export type Written =
  | { readonly _tag: "Written"; readonly previousVersion: number; readonly version: number }
  | NotWritten

/** The newest version of a key that there was, 0 for none. */
export interface Newest {
  readonly version: number
  readonly isLive: boolean
}

/** What is known of a key for whoever asks later whether a write took effect. */
export interface Trace extends Newest {
  /** Which session, or approval, wrote or removed it last. */
  readonly source: string | undefined
  /** How many of the versions behind the one asked about are kept, and whether that one is. */
  readonly keptBehind: number
  readonly isKept: boolean
  /** What the source that was asked about wrote. */
  readonly own: { readonly version: number; readonly previousVersion: number } | undefined
}

const neverWritten: Trace = {
  version: 0,
  isLive: false,
  source: undefined,
  keptBehind: 0,
  isKept: false,
  own: undefined
}

const unlessTooLarge = <A>(read: A | TooLarge): Effect.Effect<A, ResourceExhausted> =>
  read instanceof TooLarge ? Effect.fail(read.error) : Effect.succeed(read)

/**
 * Spaces of keys with versioned values. What changes a space is one transaction, which nobody else's comes in between, neither in
 * this process nor in another one on the same data. A fiber inside a transaction of its own reads and writes what that has instead:
 * see StateOverlay.
 */
export const make = (sql: SqlClient.SqlClient, limits: Limits) => {
  const { atOnce, atomically } = LibsqlClient.quick(sql)

  const inOrOutside = <A>(
    inside: (rowsOf: RowsOf, inside: StateOverlay.Inside) => A,
    outside: Effect.Effect<A, SqlError>
  ): Effect.Effect<A, SqlError> =>
    Effect.flatMap(
      FiberRef.get(StateOverlay.current),
      (current) =>
        current === undefined ? outside : atOnce((rowsOf) => {
          // What it waited for its turn for may have been the commit.
          if (current.overlay.hasEnded) throw new Error("the transaction has ended")
          return inside(rowsOf, current)
        })
    )

  const write = (
    place: Place,
    text: string,
    author: Author,
    expected: number | undefined,
    committed?: (change: Change) => void
  ): Effect.Effect<Written, SqlError> =>
    inOrOutside(
      (rowsOf, inside) => overlaid.store(rowsOf, inside, place, text, author, expected, limits, committed),
      Effect.map(
        atomically((rowsOf) => {
          const now = makeSpace(rowsOf, place)
          const decided = decideStored(now, place, text, author, expected, limits)
          if (decided._tag !== "Stored") return { decided, number: 0 }
          put(rowsOf, decided, now.changes + 1)
          count(rowsOf, place.space, decided.difference)
          return { decided, number: now.changes + 1 }
        }, ({ decided, number }) => {
          if (decided._tag === "Stored") committed?.(changeOf(decided, number))
        }),
        ({ decided }) => decided
      )
    ).pipe(Effect.map((decided) =>
      decided._tag === "Stored"
        ? { _tag: "Written", previousVersion: decided.previousVersion, version: decided.version }
        : decided
    ))

  const remove = (
    place: Place,
    by: Pick<Author, "at" | "source">,
    committed?: (change: Change) => void
  ): Effect.Effect<boolean, SqlError> =>
    inOrOutside(
      (rowsOf, inside) => overlaid.remove(rowsOf, inside, place, by, limits, committed) !== undefined,
      Effect.map(
        atomically((rowsOf) => {
          const now = readStanding(rowsOf, place)
          if (now === undefined) return undefined
          const removed = decideRemoved(now, place, by, () => totalOfVersions(rowsOf, place))
          if (removed === undefined) return undefined
          put(rowsOf, removed, now.changes + 1)
          count(rowsOf, place.space, removed.difference)
          forgetOldest(rowsOf, place.space, now.removed + 1)
          return changeOf(removed, now.changes + 1)
        }, (change) => {
          if (change !== undefined) committed?.(change)
        }),
        (change) => change !== undefined
      )
    )

  const reading = <A>(read: (reader: Reader, rowsOf: RowsOf) => A): Effect.Effect<A, SqlError> =>
    inOrOutside(
      (rowsOf, { overlay }) => read(overlaid.readerOver(overlay), rowsOf),
      atOnce((rowsOf) => read(whatIsCommitted, rowsOf))
    )

  /** The newest version of a key, or the one of that number. */
  const get = (place: Place, version?: number): Effect.Effect<Version | undefined, SqlError> =>
    reading((reader, rowsOf) => reader.get(rowsOf, place, version))

  /** The versions of a key that are kept, the newest first, with their values. Empty for a key that is missing. */
  const history = (
    place: Place,
    limit: number
  ): Effect.Effect<ReadonlyArray<Version>, ResourceExhausted | SqlError> =>
    Effect.flatMap(reading((reader, rowsOf) => reader.history(rowsOf, place, limit)), unlessTooLarge)

  /** The same without the values. */
  const versions = (place: Place): Effect.Effect<ReadonlyArray<VersionSummary>, SqlError> =>
    reading((reader, rowsOf) => reader.versions(rowsOf, place))

  /** The keys that begin with a prefix, in the order of their bytes. */
  const list = (space: string, prefix: string, limit = limits.maximumKeys): Effect.Effect<Listing, SqlError> =>
    reading((reader, rowsOf) => reader.list(rowsOf, space, prefix, limit))

  /** The same with the values. */
  const query = (
    space: string,
    prefix: string
  ): Effect.Effect<ReadonlyArray<Entry>, ResourceExhausted | SqlError> =>
    Effect.flatMap(reading((reader, rowsOf) => reader.query(rowsOf, space, prefix)), unlessTooLarge)

  /** How much room is used. */
  const used = (space: string): Effect.Effect<number, SqlError> =>
    reading((reader, rowsOf) => reader.used(rowsOf, space))

  /** The number of the last change. */
  const lastChange = (space: string): Effect.Effect<number, SqlError> =>
    atOnce((rowsOf) => rows.total(rowsOf(statements.used, [space]))[0]?.count ?? 0)

  /** What has changed behind a number, in order: of each key the last change, at most so many. */
  const changesBehind = (
    space: string,
    number: number,
    limit: number
  ): Effect.Effect<ReadonlyArray<Change>, SqlError> =>
    atOnce((rowsOf) =>
      rows.changes(rowsOf(statements.changesBehind, [space, number, limit])).map(({ isRemoved, ...change }) => ({
        ...change,
        deleted: isRemoved === 1
      }))
    )

  const newest = ({ key, space }: Place): Effect.Effect<Newest, SqlError> =>
    atOnce((rowsOf) => {
      const [found] = rows.newest(rowsOf(statements.newestVersion, [space, key]))
      return found === undefined ? neverWritten : { version: found.version, isLive: found.isRemoved === 0 }
    })

  const trace = ({ key, space }: Place, version: number, source: string): Effect.Effect<Trace, SqlError> =>
    atOnce((rowsOf) => {
      const [found] = rows.trace(
        rowsOf(statements.trace, [version, version, source, source, space, key])
      )
      if (found === undefined) return neverWritten
      return {
        version: found.version,
        isLive: found.isRemoved === 0,
        source: found.source,
        keptBehind: found.kept,
        isKept: found.isKept === 1,
        own: found.own === null ? undefined : { version: found.own, previousVersion: found.ownPrevious ?? 0 }
      }
    })

  return { write, remove, get, history, versions, list, query, used, lastChange, changesBehind, newest, trace }
}
