import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { service } from "../inOrder.js"
import { GatewayInstance } from "./GatewayInstance.js"
import * as rows from "./rows.js"

/** The record of a session. `orphaned` sessions were left open by a gateway that stopped without ending them. */
export const SessionRecord = Schema.Struct({
  sessionId: Schema.String,
  agent: Schema.String,
  transport: Schema.String,
  clientName: Schema.OptionFromNullOr(Schema.String),
  startedAt: rows.Timestamp,
  endedAt: Schema.OptionFromNullOr(rows.Timestamp),
  orphaned: Schema.transformLiterals([0, false], [1, true]),
  invocations: Schema.Int
})
export interface SessionRecord extends Schema.Schema.Type<typeof SessionRecord> {}

/** What the sessions of an agent come to. */
export const SessionSummary = Schema.Struct({
  agent: Schema.String,
  /** How many are open. */
  open: Schema.Int,
  /** When one began or ended last. */
  lastActiveAt: Schema.OptionFromNullOr(rows.Timestamp)
})
export interface SessionSummary extends Schema.Schema.Type<typeof SessionSummary> {}

export interface SessionsService {
  /** Records that a session began. An id that was used before is a `SqlError`. */
  readonly start: (session: {
    readonly sessionId: string
    readonly agent: string
    readonly transport: string
    readonly clientName?: string | undefined
  }) => Effect.Effect<SessionRecord, SqlError>
  /** Records that a session ended; does nothing for one that has ended or is unknown. */
  readonly end: (sessionId: string, result: { readonly invocations: number }) => Effect.Effect<void, SqlError>
  /** The session of an agent that ended last. */
  readonly lastEnded: (agent: string) => Effect.Effect<Option.Option<SessionRecord>, SqlError>
  /** The sessions of an agent, or of all, the newest first; 100 unless `limit` says otherwise. */
  readonly list: (filter?: {
    readonly agent?: string | undefined
    readonly limit?: number | undefined
  }) => Effect.Effect<ReadonlyArray<SessionRecord>, SqlError>
  /** The open sessions of an agent, the newest first. */
  readonly open: (agent: string, limit: number) => Effect.Effect<ReadonlyArray<SessionRecord>, SqlError>
  /** What the sessions of each agent come to, or of one; agents that never had one are there, too. */
  readonly summaries: (agent?: string) => Effect.Effect<ReadonlyArray<SessionSummary>, SqlError>
  /**
   * Ends the sessions that a crash left open, for a gateway that starts; says how many there were. Those of a gateway that still
   * runs, such as another one on the same data, are left alone.
   */
  readonly closeOrphans: Effect.Effect<number, SqlError>
}

/** The records of the sessions that a gateway had and has. */
export class Sessions extends Context.Tag("kruxos/local/store/Sessions")<Sessions, SessionsService>() {}

const Owner = Schema.Struct({ owner: Schema.NullOr(Schema.String) })

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const gateway = yield* GatewayInstance
  const allSessions = rows.all(SessionRecord)
  const onlySession = rows.only(SessionRecord)
  const allSummaries = rows.all(SessionSummary)
  const allOwners = rows.all(Owner)
  const firstSession = rows.first(SessionRecord)
  const columns = sql.literal(
    `session_id AS "sessionId", agent, transport, client_name AS "clientName", started_at AS "startedAt",
      ended_at AS "endedAt", orphaned, invocations`
  )
  const now = Effect.map(DateTime.now, DateTime.toEpochMillis)

  const start: SessionsService["start"] = (session) =>
    Effect.flatMap(now, (startedAt) =>
      onlySession(sql`
        INSERT INTO sessions
          (session_id, agent, transport, client_name, started_at, orphaned, owner, invocations)
        VALUES (${session.sessionId}, ${session.agent}, ${session.transport}, ${session.clientName ?? null},
          ${startedAt}, 0, ${gateway.id}, 0)
        RETURNING ${columns}`))

  const end: SessionsService["end"] = (sessionId, { invocations }) =>
    Effect.flatMap(now, (endedAt) =>
      Effect.asVoid(sql`
        UPDATE sessions SET ended_at = ${endedAt}, invocations = ${invocations}
        WHERE session_id = ${sessionId} AND ended_at IS NULL`))

  const lastEnded: SessionsService["lastEnded"] = (agent) =>
    firstSession(sql`
      SELECT ${columns} FROM sessions WHERE agent = ${agent} AND ended_at IS NOT NULL
      ORDER BY ended_at DESC, started_at DESC LIMIT 1`)

  const list: SessionsService["list"] = (filter) => {
    const matching = filter?.agent === undefined ? sql.literal("") : sql`WHERE agent = ${filter.agent}`
    return allSessions(sql`
      SELECT ${columns} FROM sessions ${matching}
      ORDER BY started_at DESC, session_id LIMIT ${filter?.limit ?? 100}`)
  }

  const open: SessionsService["open"] = (agent, limit) =>
    allSessions(sql`
      SELECT ${columns} FROM sessions WHERE agent = ${agent} AND ended_at IS NULL
      ORDER BY started_at DESC, session_id LIMIT ${limit}`)

  // Each of them is found by an index, however many sessions there were.
  const summaries: SessionsService["summaries"] = (agent) => {
    const last = (column: string) =>
      sql`SELECT COALESCE(MAX(${sql(column)}), 0) FROM sessions WHERE agent = agents.name`
    return allSummaries(sql`
      SELECT agent, open, CASE WHEN started > 0 THEN CASE WHEN ended > started THEN ended ELSE started END END AS "lastActiveAt"
      FROM (SELECT name AS agent,
          (SELECT COUNT(*) FROM sessions WHERE agent = agents.name AND ended_at IS NULL) AS open,
          (${last("started_at")}) AS started, (${last("ended_at")}) AS ended
        FROM agents WHERE ${agent === undefined ? sql`1 = 1` : sql`name = ${agent}`}) AS known`)
  }

  const closeOrphans: SessionsService["closeOrphans"] = Effect.gen(function*() {
    const endedAt = yield* now
    const owners = yield* allOwners(sql`SELECT DISTINCT owner FROM sessions WHERE ended_at IS NULL`)
    const gone = owners.flatMap(({ owner }) => owner === null || gateway.isAlive(owner) ? [] : [owner])
    const orphans = yield* allSessions(sql`
      UPDATE sessions SET ended_at = ${endedAt}, orphaned = 1
      WHERE ended_at IS NULL AND ${sql.or([sql`owner IS NULL`, ...(gone.length === 0 ? [] : [sql.in("owner", gone)])])}
      RETURNING ${columns}`)
    return orphans.length
  })

  return { start, end, lastEnded, list, open, summaries, closeOrphans }
})

/** `Sessions` in the store. */
export const layer: Layer.Layer<Sessions, never, SqlClient.SqlClient | GatewayInstance> = service(Sessions, make)
