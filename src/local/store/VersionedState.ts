import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import { ResourceExhausted } from "../../errors/general.js"
import { QuotaExceeded } from "../../errors/state.js"
import * as LibsqlClient from "./LibsqlClient.js"
import { endOfPrefix } from "./prefixes.js"
import * as rows from "./stateRows.js"
import * as statements from "./stateStatements.js"
import type { RowsOf } from "./TransactionLevel.js"

/** How many versions of a key are kept. */
export const versionsKept = 100

/** How many removed keys of a space are remembered, so that their versions go on; older ones raise the first version of all new keys. */
export const removedKept = 10_000

/** How many bytes of values one answer may have. */
export const mostBytesRead = 16 * 1024 * 1024

/** What a space may hold. */
export interface Limits {
  /** Bytes of the keys and values of all versions that are kept. */
  readonly quotaBytes: number
  readonly maximumKeys: number
}

/** Whose state it is, and what in it. */
export interface Place {
  readonly space: string
  readonly key: string
}

/** Who changes something, in which session or for which approval, and when. */
export interface Author {
  readonly agent: string
  readonly source: string
  readonly at: number
}

/** A change as those are told it who watch; `number` grows with every change of a space. */
export interface Change {
  readonly key: string
  readonly version: number
  /** The agent that created the key. */
  readonly owner: string
  readonly deleted: boolean
  readonly number: number
}

/** What a write comes to: `actual` is the version that is there in place of the expected one, 0 for none. */
export type Written =
  | { readonly _tag: "Written"; readonly previousVersion: number; readonly change: Change }
  | { readonly _tag: "Conflict"; readonly actual: number }
  | { readonly _tag: "Refused"; readonly error: QuotaExceeded | ResourceExhausted }

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

/** What is known of a key for whoever asks later whether a write took effect. */
export interface Trace {
  /** Of the newest version that there was, 0 for none. */
  readonly version: number
  readonly isLive: boolean
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

const parsed = <A extends { readonly value: string }>(row: A): Omit<A, "value"> & { readonly value: unknown } => ({
  ...row,
  value: JSON.parse(row.value)
})

const bytesOf = (text: string) => Buffer.byteLength(text)

const rangeOf = (prefix: string): readonly [keyof typeof statements.inRange, ReadonlyArray<string>] => {
  const end = endOfPrefix(prefix)
  return end === undefined ? ["from", [prefix]] : ["between", [prefix, end]]
}

interface Difference {
  readonly bytes?: number
  readonly keys?: number
  readonly removed?: number
  /** A version that no new key may have any more. */
  readonly floor?: number
  readonly changes?: number
}

const count = (
  rowsOf: RowsOf,
  space: string,
  { bytes = 0, changes = 0, floor = 0, keys = 0, removed = 0 }: Difference
) => rowsOf(statements.count, [bytes, keys, removed, floor, floor, changes, space])

const tooLarge = (bytes: number) =>
  new ResourceExhausted({
    message: `The values have ${bytes} bytes, more than the ${mostBytesRead} that one answer may have: ask for fewer`,
    resource: "answer_bytes",
    limit: mostBytesRead,
    current: bytes
  })

/**
 * Spaces of keys with versioned values. What changes a space is one transaction, which nobody else's comes in between, neither in
 * this process nor in another one on the same data.
 */
export const make = (sql: SqlClient.SqlClient, limits: Limits) => {
  const { atOnce, atomically } = LibsqlClient.quick(sql)

  const standing = (rowsOf: RowsOf, { key, space }: Place) => {
    const found = rows.standing(rowsOf(statements.standing, [versionsKept - 1, key, space]))[0]
    if (found !== undefined) return found
    rowsOf(statements.makeSpace, [space])
    return rows.standing(rowsOf(statements.standing, [versionsKept - 1, key, space]))[0]
  }

  const refusal = (used: number, more: number, keys: number): Written | undefined => {
    if (keys > limits.maximumKeys) {
      const error = new ResourceExhausted({
        message: `There are ${limits.maximumKeys} keys, as many as there may be`,
        resource: "state_keys",
        limit: limits.maximumKeys,
        current: limits.maximumKeys
      })
      return { _tag: "Refused", error }
    }
    if (more <= 0 || used + more <= limits.quotaBytes) return undefined
    const error = new QuotaExceeded({
      message: `${more} bytes more do not fit: ${used} of ${limits.quotaBytes} are used, and nothing was stored`,
      used,
      limit: limits.quotaBytes
    })
    return { _tag: "Refused", error }
  }

  const write = (
    place: Place,
    text: string,
    { agent, at, source }: Author,
    expected: number | undefined,
    committed?: (change: Change) => void
  ): Effect.Effect<Written, SqlError> => {
    const { key, space } = place
    return atomically((rowsOf): Written => {
      const now = standing(rowsOf, place)
      if (now === undefined) throw new Error("a space of the state cannot be made")
      const isLive = now.version !== null && now.isRemoved === 0
      const previousVersion = isLive ? now.version : 0
      if (expected !== undefined && expected !== previousVersion) return { _tag: "Conflict", actual: previousVersion }
      const size = bytesOf(text)
      const keyBytes = bytesOf(key)
      const isFull = isLive && now.oldestSize !== null
      const more = size + keyBytes - (isFull ? now.oldestSize + keyBytes : 0)
      const refused = refusal(now.used, more, isLive ? 0 : now.keys + 1)
      if (refused !== undefined) return refused
      const version = (now.version ?? now.floor) + 1
      const owner = isLive && now.owner !== null ? now.owner : agent
      const createdAt = isLive && now.createdAt !== null ? now.createdAt : at
      const change = { key, version, owner, deleted: false, number: now.changes + 1 }
      rowsOf(statements.putEntry, [space, key, version, 0, size, owner, createdAt, at, change.number, source])
      rowsOf(statements.addVersion, [space, key, version, previousVersion, size, agent, at, source, text])
      if (isFull) rowsOf(statements.dropVersion, [space, key, version - versionsKept])
      const wasRemoved = !isLive && now.version !== null
      count(rowsOf, space, { bytes: more, keys: isLive ? 0 : 1, removed: wasRemoved ? -1 : 0, changes: 1 })
      return { _tag: "Written", previousVersion, change }
    }, (written) => {
      if (written._tag === "Written") committed?.(written.change)
    })
  }

  // Room for what is remembered has a bound, and no version may ever come again.
  const forgetOldest = (rowsOf: RowsOf, space: string, removed: number) => {
    if (removed <= removedKept) return
    for (const { key, version } of rows.removed(rowsOf(statements.oldestRemoved, [space, removed - removedKept]))) {
      rowsOf(statements.dropEntry, [space, key])
      count(rowsOf, space, { removed: -1, floor: version })
    }
  }

  const remove = (
    place: Place,
    { at, source }: Pick<Author, "at" | "source">,
    committed?: (change: Change) => void
  ): Effect.Effect<boolean, SqlError> => {
    const { key, space } = place
    return atomically((rowsOf): Change | undefined => {
      const now = rows.standing(rowsOf(statements.standing, [versionsKept - 1, key, space]))[0]
      if (now === undefined || now.version === null || now.isRemoved !== 0) return undefined
      const [total] = rows.total(rowsOf(statements.totalOfVersions, [space, key]))
      const { version } = now
      const owner = now.owner ?? ""
      const change = { key, version, owner, deleted: true, number: now.changes + 1 }
      rowsOf(statements.dropVersions, [space, key])
      rowsOf(statements.putEntry, [space, key, version, 1, 0, owner, now.createdAt, at, change.number, source])
      const freed = (total?.size ?? 0) + (total?.count ?? 0) * bytesOf(key)
      count(rowsOf, space, { bytes: -freed, keys: -1, removed: 1, changes: 1 })
      forgetOldest(rowsOf, space, now.removed + 1)
      return change
    }, (change) => {
      if (change !== undefined) committed?.(change)
    }).pipe(Effect.map((change) => change !== undefined))
  }

  /** The newest version of a key, or the one of that number. */
  const get = ({ key, space }: Place, version?: number): Effect.Effect<Version | undefined, SqlError> =>
    atOnce((rowsOf) => {
      const [found] = rows.versions(
        version === undefined
          ? rowsOf(statements.newest, [space, key])
          : rowsOf(statements.oneVersion, [space, key, version])
      )
      return found === undefined ? undefined : parsed(found)
    })

  /** The versions of a key that are kept, the newest first, with their values. Empty for a key that is missing. */
  const history = (
    { key, space }: Place,
    limit: number
  ): Effect.Effect<ReadonlyArray<Version>, ResourceExhausted | SqlError> =>
    Effect.flatten(atOnce((rowsOf) => {
      const sizes = rows.sizes(rowsOf(statements.sizes, [space, key, limit]))
      const bytes = sizes.reduce((sum, { size }) => sum + size, 0)
      return bytes > mostBytesRead
        ? Effect.fail(tooLarge(bytes))
        : Effect.succeed(rows.versions(rowsOf(statements.history, [space, key, limit])).map(parsed))
    }))

  /** The same without the values. */
  const versions = ({ key, space }: Place) =>
    atOnce((rowsOf) => rows.sizes(rowsOf(statements.sizes, [space, key, versionsKept])))

  /** The keys that begin with a prefix, in the order of their bytes. */
  const list = (space: string, prefix: string, limit = limits.maximumKeys): Effect.Effect<Listing, SqlError> =>
    atOnce((rowsOf) => {
      const [form, range] = rangeOf(prefix)
      const [total] = rows.total(rowsOf(statements.inRange[form].total, [space, ...range]))
      const entries = rows.summaries(rowsOf(statements.inRange[form].list, [space, ...range, limit]))
      return { entries, count: total?.count ?? 0, totalBytes: total?.size ?? 0 }
    })

  /** The same with the values. */
  const query = (
    space: string,
    prefix: string
  ): Effect.Effect<ReadonlyArray<Entry>, ResourceExhausted | SqlError> =>
    Effect.flatten(atOnce((rowsOf) => {
      const [form, range] = rangeOf(prefix)
      const [total] = rows.total(rowsOf(statements.inRange[form].total, [space, ...range]))
      return total !== undefined && total.size > mostBytesRead
        ? Effect.fail(tooLarge(total.size))
        : Effect.succeed(rows.values(rowsOf(statements.inRange[form].query, [space, ...range])).map(parsed))
    }))

  /** How much room is used. */
  const used = (space: string): Effect.Effect<number, SqlError> =>
    atOnce((rowsOf) => rows.total(rowsOf(statements.used, [space]))[0]?.size ?? 0)

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

  return { write, remove, get, history, versions, list, query, used, lastChange, changesBehind, trace }
}
