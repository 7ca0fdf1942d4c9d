import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { service } from "../inOrder.js"
import { letOthersRun } from "../letOthersRun.js"
import { asPattern, AuditEntry, detailOf, entryColumns, isOfTransaction } from "./AuditLog.js"
import * as rows from "./rows.js"

/** Entries of some kinds, and of those only the ones whose details say so. */
export interface Selected {
  readonly kinds: ReadonlyArray<string>
  /** Whether what was invoked succeeded. */
  readonly succeeded?: boolean | undefined
  /** The error is one of these, or none of them. */
  readonly error?: { readonly among: boolean; readonly names: ReadonlyArray<string> } | undefined
}

/** Which entries: all unless something is given; where all of it is so. */
export interface PageFilter {
  readonly agent?: string | undefined
  /** A capability; `*` stands for any text. */
  readonly capability?: string | undefined
  /** A transaction, with its steps and savepoints, or a savepoint. */
  readonly transaction?: string | undefined
  /** Milliseconds since 1970. */
  readonly since?: number | undefined
  /** Any of these; none is none. */
  readonly selected?: ReadonlyArray<Selected> | undefined
}

export interface AuditPagesService {
  /** Entries, the newest first. */
  readonly page: (
    filter: PageFilter,
    part: { readonly limit: number; readonly offset: number }
  ) => Effect.Effect<ReadonlyArray<AuditEntry>, SqlError>
  readonly count: (filter: PageFilter) => Effect.Effect<number, SqlError>
}

/**
 * Parts of the audit log, for a gateway that has more to do: a log has no end, and the database answers while all else waits, so
 * that it is looked through in slices.
 */
export class AuditPages extends Context.Tag("kruxos/local/store/AuditPages")<AuditPages, AuditPagesService>() {}

// Takes the database a few milliseconds.
const usualSliceLength = 10_000

// Nothing of the log ever changes: what was counted once need not be counted again.
const countsKept = 64

const Newest = Schema.Struct({ sequence: Schema.Number })

interface Counted {
  readonly until: number
  readonly count: number
}

const isWhole = (filter: PageFilter) =>
  [filter.agent, filter.capability, filter.selected, filter.since, filter.transaction].every((one) => one === undefined)

const make = Effect.fnUntraced(function*(sliceLength: number) {
  const sql = yield* SqlClient.SqlClient
  const onlyNewest = rows.only(Newest)
  const allEntries = rows.all(AuditEntry)
  const columns = sql.literal(entryColumns)
  const counts = new Map<string, Counted>()

  const newest = Effect.map(
    onlyNewest(sql`SELECT COALESCE(MAX(sequence), 0) AS sequence FROM audit_log`),
    ({ sequence }) => sequence
  )

  const matches = ({ error, kinds, succeeded }: Selected) => {
    const outcome = sql`COALESCE(${detailOf(sql, "outcome")}, '')`
    const name = sql`COALESCE(${detailOf(sql, "error")}, '')`
    return sql.and([
      sql.in("kind", kinds),
      ...(succeeded === undefined ? [] : [succeeded ? sql`${outcome} = 'success'` : sql`${outcome} <> 'success'`]),
      ...(error === undefined
        ? []
        : [error.among ? sql`${name} IN ${sql.in(error.names)}` : sql`${name} NOT IN ${sql.in(error.names)}`])
    ])
  }

  const conditionOf = ({ agent, capability, selected, since, transaction }: PageFilter) =>
    sql.and([
      sql`1 = 1`,
      ...(agent === undefined ? [] : [sql`agent = ${agent}`]),
      ...(capability === undefined ? [] : [sql`capability LIKE ${asPattern(capability)} ESCAPE '\\'`]),
      ...(since === undefined ? [] : [sql`at >= ${since}`]),
      ...(transaction === undefined ? [] : [isOfTransaction(sql, transaction)]),
      ...(selected === undefined ? [] : [selected.length === 0 ? sql`1 = 0` : sql.or(selected.map(matches))])
    ])

  /** How many fit among the entries behind `from` up to `to`. */
  const countIn = (filter: PageFilter, from: number, to: number) =>
    rows.count(sql`
      SELECT COUNT(*) AS count FROM audit_log
      WHERE sequence > ${from} AND sequence <= ${to} AND ${conditionOf(filter)}`)

  const keep = (key: string, counted: Counted) => {
    counts.delete(key)
    counts.set(key, counted)
    for (const oldest of counts.keys()) {
      if (counts.size <= countsKept) return
      counts.delete(oldest)
    }
  }

  const count: AuditPagesService["count"] = (filter) =>
    Effect.gen(function*() {
      const end = yield* newest
      // The numbers have no gaps.
      if (isWhole(filter)) return end
      const key = JSON.stringify([filter.agent, filter.capability, filter.since, filter.transaction, filter.selected])
      let { count, until } = counts.get(key) ?? { until: 0, count: 0 }
      while (until < end) {
        const to = Math.min(until + sliceLength, end)
        count += yield* countIn(filter, until, to)
        until = to
        yield* letOthersRun
      }
      keep(key, { until, count })
      return count
    })

  const page: AuditPagesService["page"] = (filter, { limit, offset }) =>
    Effect.gen(function*() {
      const found: Array<AuditEntry> = []
      let left = isWhole(filter) ? 0 : offset
      let to = (yield* newest) - (offset - left)
      while (to > 0 && found.length < limit) {
        const from = Math.max(to - sliceLength, 0)
        const skipped = left === 0 ? 0 : Math.min(left, yield* countIn(filter, from, to))
        left -= skipped
        if (left === 0) {
          const entries = yield* allEntries(sql`
            SELECT ${columns} FROM audit_log
            WHERE sequence > ${from} AND sequence <= ${to} AND ${conditionOf(filter)}
            ORDER BY sequence DESC LIMIT ${limit - found.length} OFFSET ${skipped}`)
          found.push(...entries)
        }
        to = from
        yield* letOthersRun
      }
      return found
    })

  return { page, count }
})

/** `AuditPages` in the store, which looks at so many entries at a time. */
export const layer = (sliceLength = usualSliceLength): Layer.Layer<AuditPages, never, SqlClient.SqlClient> =>
  service(AuditPages, make(sliceLength))
