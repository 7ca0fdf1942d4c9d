import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { service } from "../inOrder.js"
import { letOthersRun } from "../letOthersRun.js"
import * as rows from "./rows.js"

/** An entry of the audit log, as far as it tells what an agent did. `details` are JSON text. */
const Entry = Schema.Struct({
  sequence: Schema.Int,
  at: Schema.Int,
  kind: Schema.String,
  agent: Schema.NullOr(Schema.String),
  sessionId: Schema.NullOr(Schema.String),
  capability: Schema.NullOr(Schema.String),
  approvalId: Schema.NullOr(Schema.String),
  details: Schema.String
})
export interface Entry extends Schema.Schema.Type<typeof Entry> {}

/** A key that changed; `removed` where it is gone. */
const ChangedKey = Schema.Struct({
  key: Schema.String,
  version: Schema.Int,
  owner: Schema.String,
  removed: Schema.transformLiterals([0, false], [1, true]),
  updatedAt: rows.Timestamp
})
export interface ChangedKey extends Schema.Schema.Type<typeof ChangedKey> {}

export interface AgentActivityService {
  /**
   * When an agent was last active before a time: when its session ended, or did something last where a gateway that was killed left it
   * open. Milliseconds since 1970.
   */
  readonly lastBefore: (agent: string, time: number) => Effect.Effect<Option.Option<number>, SqlError>
  /**
   * The newest entries about capabilities of some categories, in order, and whether the log was looked through as far as `since`: it
   * is not where `mostEntries` were looked at before.
   */
  readonly entries: (filter: {
    readonly categories: ReadonlyArray<string>
    /** Milliseconds since 1970; this one is among them. */
    readonly since?: number | undefined
    /** Milliseconds since 1970; this one is not among them. */
    readonly until?: number | undefined
    readonly mostEntries: number
  }) => Effect.Effect<{ readonly entries: ReadonlyArray<Entry>; readonly isWhole: boolean }, SqlError>
  /** The keys of a space that were written or removed since a time, the latest first, and how many there are. */
  readonly keysChangedSince: (
    space: string,
    since: number,
    limit: number
  ) => Effect.Effect<{ readonly keys: ReadonlyArray<ChangedKey>; readonly count: number }, SqlError>
}

/** What happened since an agent was last there. */
export class AgentActivity
  extends Context.Tag("kruxos/local/store/AgentActivity")<AgentActivity, AgentActivityService>()
{}

// Takes the database a few milliseconds.
const sliceLength = 2000

const mostForLast = 20_000

const Ended = Schema.Struct({
  sessionId: Schema.String,
  startedAt: Schema.Int,
  endedAt: Schema.Int,
  orphaned: Schema.Int
})

const Slice = Schema.Struct({ newest: Schema.NullOr(Schema.Int), oldest: Schema.NullOr(Schema.Int) })

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const allEntries = rows.all(Entry)
  const firstEnded = rows.first(Ended)
  const onlySlice = rows.only(Slice)
  const allKeys = rows.all(ChangedKey)
  const columns = sql.literal(
    `sequence, at, kind, agent, session_id AS "sessionId", capability, approval_id AS "approvalId", details`
  )
  const end = rows.count(sql`SELECT COALESCE(MAX(sequence), 0) AS count FROM audit_log`)

  const lastOfSession = (sessionId: string) =>
    Effect.gen(function*() {
      const last = yield* end
      for (let to = last; to > 0 && last - to < mostForLast; to -= sliceLength) {
        const { newest } = yield* onlySlice(sql`
          SELECT MAX(at) AS newest, MIN(at) AS oldest FROM audit_log
          WHERE sequence > ${to - sliceLength} AND sequence <= ${to} AND session_id = ${sessionId}`)
        if (newest !== null) return newest
        yield* letOthersRun
      }
      return undefined
    })

  const lastBefore: AgentActivityService["lastBefore"] = (agent, time) =>
    Effect.gen(function*() {
      const found = yield* firstEnded(sql`
        SELECT session_id AS "sessionId", started_at AS "startedAt", ended_at AS "endedAt", orphaned FROM sessions
        WHERE agent = ${agent} AND ended_at <= ${time} ORDER BY ended_at DESC, started_at DESC LIMIT 1`)
      if (Option.isNone(found)) return Option.none()
      const { endedAt, orphaned, sessionId, startedAt } = found.value
      if (orphaned === 0) return Option.some(endedAt)
      return Option.some(Math.min(endedAt, (yield* lastOfSession(sessionId)) ?? startedAt))
    })

  const entries: AgentActivityService["entries"] = ({ categories, mostEntries, since, until }) =>
    Effect.gen(function*() {
      const slices: Array<ReadonlyArray<Entry>> = []
      const concerned = sql.or(categories.map((category) => sql`capability LIKE ${`${category}.%`}`))
      const fitting = sql`${concerned} AND at >= ${since ?? 0} AND ${
        until === undefined ? sql`1 = 1` : sql`at < ${until}`
      }`
      let looked = 0
      for (let to = yield* end; to > 0; to -= sliceLength) {
        if (looked >= mostEntries) return { entries: slices.toReversed().flat(), isWhole: false }
        const inSlice = sql`sequence > ${to - sliceLength} AND sequence <= ${to}`
        const { newest, oldest } = yield* onlySlice(
          sql`SELECT MAX(at) AS newest, MIN(at) AS oldest FROM audit_log WHERE ${inSlice}`
        )
        // What takes long is entered late: a slice is old when all of it is.
        if (newest === null || oldest === null || newest < (since ?? 0)) break
        if (until !== undefined && oldest >= until) continue
        looked += sliceLength
        slices.push(
          yield* allEntries(sql`SELECT ${columns} FROM audit_log WHERE ${inSlice} AND ${fitting} ORDER BY sequence`)
        )
        yield* letOthersRun
      }
      return { entries: slices.toReversed().flat(), isWhole: true }
    })

  const keysChangedSince: AgentActivityService["keysChangedSince"] = (space, since, limit) =>
    Effect.gen(function*() {
      const matching = sql`space = ${space} AND updated_at >= ${since}`
      const keys = yield* allKeys(sql`
        SELECT entry_key AS key, version, owner, is_removed AS removed, updated_at AS "updatedAt" FROM state_entries
        WHERE ${matching} ORDER BY change_number DESC LIMIT ${limit}`)
      const count = keys.length < limit
        ? keys.length
        : yield* rows.count(sql`SELECT COUNT(*) AS count FROM state_entries WHERE ${matching}`)
      return { keys, count }
    })

  return { lastBefore, entries, keysChangedSince }
})

/** `AgentActivity` in the store. */
export const layer: Layer.Layer<AgentActivity, never, SqlClient.SqlClient> = service(AgentActivity, make)
