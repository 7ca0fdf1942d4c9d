import type * as Schema from "effect/Schema"
import { ResourceExhausted } from "../../errors/general.js"
import { endOfPrefix } from "./prefixes.js"
import * as rows from "./stateRows.js"
import * as statements from "./stateStatements.js"
import { type Place, versionsKept } from "./stateWrites.js"
import type { RowsOf } from "./TransactionLevel.js"

/** How many bytes of values one answer may have. */
export const mostBytesRead = 16 * 1024 * 1024

/** A version of a key. */
export interface Version {
  readonly value: unknown
  readonly version: number
  readonly size: number
  readonly owner: string
  readonly createdAt: number
  readonly updatedAt: number
}

/** The key of an entry with its version, the size of its value, its owner and when it was written. */
export interface Summary extends Schema.Schema.Type<Schema.Struct<typeof rows.summary>> {}

/** Keys, with how many there are and the bytes of their values, also of those that are not listed. */
export interface Listing {
  readonly entries: ReadonlyArray<Summary>
  readonly count: number
  readonly totalBytes: number
}

/** An entry with its value. */
export interface Entry extends Version {
  readonly key: string
}

/** A version without its value. */
export interface VersionSummary {
  readonly version: number
  readonly size: number
  readonly updatedAt: number
}

/** More was asked for than one answer may have. */
export class TooLarge {
  readonly error: ResourceExhausted

  constructor(bytes: number) {
    this.error = new ResourceExhausted({
      message: `The values have ${bytes} bytes, more than the ${mostBytesRead} that one answer may have: ask for fewer`,
      resource: "answer_bytes",
      limit: mostBytesRead,
      current: bytes
    })
  }
}

/** Reads what is in a space, at once. */
export interface Reader {
  readonly get: (rowsOf: RowsOf, place: Place, version: number | undefined) => Version | undefined
  readonly history: (rowsOf: RowsOf, place: Place, limit: number) => ReadonlyArray<Version> | TooLarge
  readonly versions: (rowsOf: RowsOf, place: Place) => ReadonlyArray<VersionSummary>
  readonly list: (rowsOf: RowsOf, space: string, prefix: string, limit: number) => Listing
  readonly query: (rowsOf: RowsOf, space: string, prefix: string) => ReadonlyArray<Entry> | TooLarge
  readonly used: (rowsOf: RowsOf, space: string) => number
}

const parsed = <A extends { readonly value: string }>(row: A): Omit<A, "value"> & { readonly value: unknown } => ({
  ...row,
  value: JSON.parse(row.value)
})

const rangeOf = (prefix: string): readonly [keyof typeof statements.inRange, ReadonlyArray<string>] => {
  const end = endOfPrefix(prefix)
  return end === undefined ? ["from", [prefix]] : ["between", [prefix, end]]
}

const sum = (sizes: ReadonlyArray<{ readonly size: number }>) => sizes.reduce((bytes, { size }) => bytes + size, 0)

/** That there is more than one answer may have, if there is. */
export const tooLarge = (sizes: ReadonlyArray<{ readonly size: number }>): TooLarge | undefined => {
  const bytes = sum(sizes)
  return bytes > mostBytesRead ? new TooLarge(bytes) : undefined
}

/** What is committed. */
export const committed: Reader = {
  get: (rowsOf, { key, space }, version) => {
    const [found] = rows.versions(
      version === undefined
        ? rowsOf(statements.newest, [space, key])
        : rowsOf(statements.oneVersion, [space, key, version])
    )
    return found === undefined ? undefined : parsed(found)
  },

  history: (rowsOf, { key, space }, limit) =>
    tooLarge(rows.sizes(rowsOf(statements.sizes, [space, key, limit])))
      ?? rows.versions(rowsOf(statements.history, [space, key, limit])).map(parsed),

  versions: (rowsOf, { key, space }) => rows.sizes(rowsOf(statements.sizes, [space, key, versionsKept])),

  list: (rowsOf, space, prefix, limit) => {
    const [form, range] = rangeOf(prefix)
    const [total] = rows.total(rowsOf(statements.inRange[form].total, [space, ...range]))
    const entries = rows.summaries(rowsOf(statements.inRange[form].list, [space, ...range, limit]))
    return { entries, count: total?.count ?? 0, totalBytes: total?.size ?? 0 }
  },

  query: (rowsOf, space, prefix) => {
    const [form, range] = rangeOf(prefix)
    return tooLarge(rows.total(rowsOf(statements.inRange[form].total, [space, ...range])))
      ?? rows.values(rowsOf(statements.inRange[form].query, [space, ...range])).map(parsed)
  },

  used: (rowsOf, space) => rows.total(rowsOf(statements.used, [space]))[0]?.size ?? 0
}
