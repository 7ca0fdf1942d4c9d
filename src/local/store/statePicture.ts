import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import * as LibsqlClient from "./LibsqlClient.js"

/** Values of more bytes than this are left out. */
const longestValue = 64 * 1024

/** How many bytes of keys and values a picture of a space has at most, about. */
const mostBytes = 2 * 1024 * 1024

const pageLength = 100

// A snapshot nests what it holds, and JSON of more than 500 levels is none.
const deepest = 400

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === "object" && value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)))

const shown = (text: string | null): { readonly value?: unknown } => {
  if (text === null) return {}
  const value: unknown = JSON.parse(text)
  return isDeeper(value, deepest) ? {} : { value }
}

// What stands around a key and its value.
const entryBytes = 128

const decodeRows = Schema.decodeUnknownSync(Schema.Array(Schema.Struct({
  key: Schema.String,
  version: Schema.Int,
  size: Schema.Int,
  owner: Schema.String,
  updatedAt: Schema.Int,
  value: Schema.NullOr(Schema.String)
})))

const decodeTotals = Schema.decodeUnknownSync(
  Schema.Array(Schema.Struct({ count: Schema.Int, size: Schema.Int }))
)

/** A key of a space. `value` is left out where it is long, or nested deeply. Times are milliseconds since 1970. */
export interface PicturedEntry {
  readonly key: string
  readonly version: number
  readonly size: number
  readonly owner: string
  readonly updatedAt: number
  readonly value?: unknown
}

/** A space as it is, the first of its keys in the order of their bytes; `count` and `size` are those of all. */
export interface StatePicture {
  readonly entries: ReadonlyArray<PicturedEntry>
  readonly count: number
  readonly size: number
}

const page = `
  SELECT e.entry_key AS "key", e.version, e.size, e.owner, e.updated_at AS "updatedAt",
    CASE WHEN e.size <= ${longestValue} THEN v.value END AS "value"
  FROM state_entries e JOIN state_versions v ON v.space = e.space AND v.entry_key = e.entry_key AND v.version = e.version
  WHERE e.space = ? AND e.entry_key > ? AND e.is_removed = 0 ORDER BY e.entry_key LIMIT ${pageLength}`

const totals = `
  SELECT COUNT(*) AS "count", COALESCE(SUM(size), 0) AS "size" FROM state_entries
  WHERE space = ? AND is_removed = 0`

/** Pictures of spaces, all of one moment. */
export const picturesOf = (
  sql: SqlClient.SqlClient,
  spaces: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<StatePicture>, SqlError> =>
  LibsqlClient.quick(sql).atOnce((rowsOf) =>
    spaces.map((space) => {
      const [total] = decodeTotals(rowsOf(totals, [space]))
      const entries: Array<PicturedEntry> = []
      let bytes = 0
      while (true) {
        const found = decodeRows(rowsOf(page, [space, entries.at(-1)?.key ?? ""]))
        for (const { value, ...entry } of found) {
          bytes += Buffer.byteLength(entry.key) + entryBytes + (value === null ? 0 : entry.size)
          if (bytes > mostBytes) return { entries, count: total?.count ?? 0, size: total?.size ?? 0 }
          entries.push({ ...entry, ...shown(value) })
        }
        if (found.length < pageLength) return { entries, count: total?.count ?? 0, size: total?.size ?? 0 }
      }
    })
  )
