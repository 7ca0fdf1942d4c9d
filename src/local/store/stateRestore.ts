import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { KeyRecord, VersionRecord } from "../archive/stateRecords.js"
import * as LibsqlClient from "./LibsqlClient.js"
import * as statements from "./stateStatements.js"
import type { RowsOf } from "./TransactionLevel.js"

/** A key with all its versions, the oldest first. */
export interface KeptKey {
  readonly entry: KeyRecord
  readonly versions: ReadonlyArray<VersionRecord>
}

/** Who restores, and when. */
export interface Restorer {
  readonly source: string
  readonly at: number
}

/** Makes the state of a space what it was, key by key in the order of their bytes. To be used inside a transaction. */
export interface SpaceRestore {
  /** Makes a key what it was, and removes those that came in between since the one before. */
  readonly put: (kept: KeptKey) => Effect.Effect<void, SqlError>
  /** Removes the keys behind the last one, and counts anew. */
  readonly finish: Effect.Effect<void, SqlError>
}

const rowsAs = <A, I>(row: Schema.Schema<A, I>) => Schema.decodeUnknownSync(Schema.Array(row))

const entries = rowsAs(Schema.Struct({
  version: Schema.Int,
  isRemoved: Schema.Int,
  owner: Schema.String,
  createdAt: Schema.Int
}))

const standings = rowsAs(Schema.Struct({ floor: Schema.Int, changes: Schema.Int }))

const counts = rowsAs(Schema.Struct({ count: Schema.Int }))

const removable = rowsAs(Schema.Struct({ key: Schema.String }))

const findSpace = `SELECT version_floor AS "floor", change_count AS "changes" FROM state_spaces WHERE space = ?`

const findEntry = `
  SELECT version, is_removed AS "isRemoved", owner, created_at AS "createdAt" FROM state_entries
  WHERE space = ? AND entry_key = ?`

const countVersions = `SELECT COUNT(*) AS "count" FROM state_versions WHERE space = ? AND entry_key = ?`

const sameVersion = `
  SELECT COUNT(*) AS "count" FROM state_versions
  WHERE space = ? AND entry_key = ? AND version = ? AND writer = ? AND written_at = ? AND value = ?`

const liveBetween = `
  SELECT entry_key AS "key" FROM state_entries
  WHERE space = ? AND entry_key > ? AND entry_key < ? AND is_removed = 0 ORDER BY entry_key`

const liveBehind = `
  SELECT entry_key AS "key" FROM state_entries WHERE space = ? AND entry_key > ? AND is_removed = 0 ORDER BY entry_key`

const markRemoved = `
  UPDATE state_entries SET is_removed = 1, size = 0, updated_at = ?, change_number = ?, source = ?
  WHERE space = ? AND entry_key = ?`

const countAnew = `
  UPDATE state_spaces SET change_count = ?,
    used_bytes = (SELECT COALESCE(SUM(size + LENGTH(CAST(entry_key AS BLOB))), 0) FROM state_versions v
      WHERE v.space = state_spaces.space),
    key_count = (SELECT COUNT(*) FROM state_entries e WHERE e.space = state_spaces.space AND e.is_removed = 0),
    removed_count = (SELECT COUNT(*) FROM state_entries e WHERE e.space = state_spaces.space AND e.is_removed = 1)
  WHERE space = ?`

const numbers = (rowsOf: RowsOf, space: string) => standings(rowsOf(findSpace, [space]))[0]

/** Whether a key is as it was, all its versions, whatever their numbers are by now. */
const isAsItWas = (rowsOf: RowsOf, { entry, versions }: KeptKey): boolean => {
  const place = [entry.space, entry.key]
  const [now] = entries(rowsOf(findEntry, place))
  if (now === undefined || now.isRemoved !== 0) return false
  if (now.owner !== entry.owner || now.createdAt !== entry.createdAt) return false
  if (counts(rowsOf(countVersions, place))[0]?.count !== versions.length) return false
  const shift = now.version - entry.version
  return versions.every(({ value, version, writer, writtenAt }) =>
    counts(rowsOf(sameVersion, [...place, version + shift, writer, writtenAt, value]))[0]?.count === 1
  )
}

/** How far the numbers of versions go up, so that none is one that the key has had since. */
const shiftOf = (rowsOf: RowsOf, { entry, versions }: KeptKey, floor: number): number => {
  const [now] = entries(rowsOf(findEntry, [entry.space, entry.key]))
  const highest = now?.version ?? floor
  const lowest = versions[0]?.version ?? entry.version
  return highest < lowest ? 0 : highest - lowest + 1
}

/** Begins to restore a space. */
export const restoreSpace = (
  sql: SqlClient.SqlClient,
  space: string,
  { at, source }: Restorer
): Effect.Effect<SpaceRestore, SqlError> => {
  const { atOnce } = LibsqlClient.quick(sql)
  return atOnce((rowsOf) => {
    if (numbers(rowsOf, space) === undefined) rowsOf(statements.makeSpace, [space])
    const { changes: before, floor } = numbers(rowsOf, space) ?? { changes: 0, floor: 0 }
    let changes = before
    let last = ""

    const remove = (rowsOf: RowsOf, key: string) => {
      rowsOf(statements.dropVersions, [space, key])
      rowsOf(markRemoved, [at, ++changes, source, space, key])
    }

    const write = (rowsOf: RowsOf, kept: KeptKey) => {
      const { entry: { createdAt, key, owner, version }, versions } = kept
      const newest = versions.at(-1)
      if (newest === undefined || isAsItWas(rowsOf, kept)) return
      const shift = shiftOf(rowsOf, kept, floor)
      rowsOf(statements.dropVersions, [space, key])
      const { size, writtenAt } = newest
      rowsOf(statements.putEntry, [
        space,
        key,
        version + shift,
        0,
        size,
        owner,
        createdAt,
        writtenAt,
        ++changes,
        source
      ])
      for (const { previousVersion, size, value, version, writer, writtenAt } of versions) {
        const previous = previousVersion === 0 ? 0 : previousVersion + shift
        rowsOf(statements.addVersion, [space, key, version + shift, previous, size, writer, writtenAt, source, value])
      }
    }

    return {
      put: (kept) =>
        atOnce((rowsOf) => {
          const { key } = kept.entry
          for (const between of removable(rowsOf(liveBetween, [space, last, key]))) remove(rowsOf, between.key)
          write(rowsOf, kept)
          last = key
        }),
      finish: atOnce((rowsOf) => {
        for (const behind of removable(rowsOf(liveBehind, [space, last]))) remove(rowsOf, behind.key)
        rowsOf(countAnew, [changes, space])
      })
    }
  })
}
