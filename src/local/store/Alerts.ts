import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { holding } from "../../connection/untilClose.js"
import { Identifiers } from "../Identifiers.js"
import { service } from "../inOrder.js"
import * as rows from "./rows.js"

export const Severity = Schema.Literal("info", "warning", "critical")
export type Severity = typeof Severity.Type

export const AlertStatus = Schema.Literal("pending", "acknowledged")
export type AlertStatus = typeof AlertStatus.Type

/** What an agent told its supervisor. */
export const Alert = Schema.Struct({
  alertId: Schema.String,
  agent: Schema.String,
  severity: Severity,
  title: Schema.NullOr(Schema.parseJson(Schema.String)),
  message: Schema.parseJson(Schema.String),
  context: Schema.NullOr(Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown }))),
  status: AlertStatus,
  createdAt: rows.Timestamp,
  acknowledgedAt: Schema.NullOr(rows.Timestamp),
  acknowledgedBy: Schema.NullOr(Schema.parseJson(Schema.String))
})
export interface Alert extends Schema.Schema.Type<typeof Alert> {}

/** The agent has as many alerts that nobody acknowledged as are kept; the alert was not. */
export class TooManyAlerts
  extends Data.TaggedError("TooManyAlerts")<{ readonly agent: string; readonly limit: number }>
{
  override get message() {
    return `${this.limit} alerts of ${this.agent} wait to be acknowledged: acknowledge those that are settled`
  }
}

export interface Options {
  /** How many alerts of an agent are kept; 10,000 unless given. Those that were acknowledged make room first, the oldest of them. */
  readonly maximumAlerts?: number | undefined
}

/** That an alert was sent or acknowledged, and how it is since. */
export interface AlertChange {
  readonly change: "sent" | "acknowledged"
  readonly alert: Alert
}

export interface AlertsService {
  /** Keeps an alert, pending, and says its id. */
  readonly send: (alert: {
    readonly agent: string
    readonly severity: Severity
    readonly message: string
    readonly title?: string | undefined
    readonly context?: { readonly [name: string]: unknown } | undefined
  }) => Effect.Effect<string, TooManyAlerts | SqlError>
  /** The newest alerts, of all agents or of one, in one state where it is given, and how many there are in it. */
  readonly list: (request: {
    readonly agent?: string | undefined
    readonly status?: AlertStatus | undefined
    readonly limit: number
    /** How many of them to leave out before. */
    readonly offset?: number | undefined
  }) => Effect.Effect<{ readonly alerts: ReadonlyArray<Alert>; readonly total: number }, SqlError>
  /** Whether this made an agent's alert acknowledged, which it was not before; none where the agent has no such alert. */
  readonly acknowledge: (request: {
    /** Whose it must be, where that matters. */
    readonly agent?: string | undefined
    readonly alertId: string
    readonly by: string
  }) => Effect.Effect<Option.Option<boolean>, SqlError>
  readonly get: (alertId: string) => Effect.Effect<Option.Option<Alert>, SqlError>
  /** Tells of every alert that is sent or acknowledged at this gateway, until the scope ends. What is told must take no time. */
  readonly listen: (listener: (change: AlertChange) => void) => Effect.Effect<void, never, Scope.Scope>
  /** How many alerts of an agent nobody has acknowledged, by severity; `recent` are those since a time, in milliseconds since 1970. */
  readonly pendingOf: (
    agent: string,
    since: number
  ) => Effect.Effect<{ readonly [severity in Severity | "recent"]: number }, SqlError>
  /** How many alerts of all agents nobody has acknowledged. */
  readonly pending: Effect.Effect<number, SqlError>
}

/** What an acknowledgement has changed, if anything. */
interface Acknowledged {
  readonly acknowledged: Alert | undefined
}

const Pending = Schema.Struct({ severity: Severity, count: Schema.Int, recent: Schema.Int })

/** What agents told their supervisors. */
export class Alerts extends Context.Tag("kruxos/local/store/Alerts")<Alerts, AlertsService>() {}

const make = (options: Options) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const identifiers = yield* Identifiers
    const alertRows = rows.all(Alert)
    const pendingRows = rows.all(Pending)
    const listeners = new Set<(change: AlertChange) => void>()
    const maximumAlerts = options.maximumAlerts ?? 10_000
    const columns = sql.literal(
      `alert_id AS "alertId", agent, severity, title, message, context, status, created_at AS "createdAt",
       acknowledged_at AS "acknowledgedAt", acknowledged_by AS "acknowledgedBy"`
    )

    const countOf = (agent: string) => rows.count(sql`SELECT COUNT(*) AS count FROM alerts WHERE agent = ${agent}`)

    const makeRoom = (agent: string) =>
      Effect.gen(function*() {
        if ((yield* countOf(agent)) < maximumAlerts) return
        yield* sql`DELETE FROM alerts WHERE agent = ${agent} AND position = (
          SELECT MIN(position) FROM alerts WHERE agent = ${agent} AND status = 'acknowledged')`
        if ((yield* countOf(agent)) >= maximumAlerts) return yield* new TooManyAlerts({ agent, limit: maximumAlerts })
      })

    const tell = (change: AlertChange) =>
      Effect.sync(() => {
        for (const listener of listeners) listener(change)
      })

    const send: AlertsService["send"] = ({ agent, context, message, severity, title }) =>
      Effect.gen(function*() {
        const alertId = `alert-${identifiers.uuid()}`
        const messageText = yield* rows.encodeJson(message)
        const titleText = title === undefined ? null : yield* rows.encodeJson(title)
        const contextText = context === undefined ? null : yield* rows.encodeJson(context)
        const now = yield* DateTime.now
        yield* makeRoom(agent)
        const position = yield* rows.count(
          sql`SELECT COALESCE(MAX(position), 0) AS count FROM alerts WHERE agent = ${agent}`
        )
        yield* sql`
          INSERT INTO alerts (alert_id, agent, position, severity, title, message, context, status, created_at)
          VALUES (${alertId}, ${agent}, ${position + 1}, ${severity}, ${titleText}, ${messageText}, ${contextText},
            'pending', ${DateTime.toEpochMillis(now)})`
        return {
          alertId,
          agent,
          severity,
          title: title ?? null,
          message,
          context: context ?? null,
          status: "pending" as const,
          createdAt: now,
          acknowledgedAt: null,
          acknowledgedBy: null
        }
      }).pipe(
        sql.withTransaction,
        Effect.tap((alert) => tell({ change: "sent", alert })),
        Effect.map(({ alertId }) => alertId)
      )

    const list: AlertsService["list"] = ({ agent, limit, offset = 0, status }) => {
      const matching = sql.and([
        ...(agent === undefined ? [] : [sql`agent = ${agent}`]),
        ...(status === undefined ? [] : [sql`status = ${status}`])
      ])
      const order = agent === undefined ? sql`created_at DESC, agent, position DESC` : sql`position DESC`
      return Effect.gen(function*() {
        const alerts = yield* alertRows(
          sql`SELECT ${columns} FROM alerts WHERE ${matching} ORDER BY ${order} LIMIT ${limit} OFFSET ${offset}`
        )
        const total = yield* rows.count(sql`SELECT COUNT(*) AS count FROM alerts WHERE ${matching}`)
        return { alerts, total }
      }).pipe(sql.withTransaction)
    }

    const get: AlertsService["get"] = (alertId) =>
      Effect.map(
        alertRows(sql`SELECT ${columns} FROM alerts WHERE alert_id = ${alertId}`),
        ([alert]) => Option.fromNullable(alert)
      )

    const acknowledge: AlertsService["acknowledge"] = ({ agent, alertId, by }) =>
      Effect.gen(function*() {
        const alert = Option.getOrUndefined(yield* get(alertId))
        if (alert === undefined || (agent !== undefined && alert.agent !== agent)) return Option.none<Acknowledged>()
        if (alert.status === "acknowledged") return Option.some<Acknowledged>({ acknowledged: undefined })
        const now = yield* DateTime.now
        const byText = yield* rows.encodeJson(by)
        yield* sql`
          UPDATE alerts SET status = 'acknowledged', acknowledged_at = ${
          DateTime.toEpochMillis(now)
        }, acknowledged_by = ${byText}
          WHERE alert_id = ${alertId}`
        const acknowledged: Alert = { ...alert, status: "acknowledged", acknowledgedAt: now, acknowledgedBy: by }
        return Option.some<Acknowledged>({ acknowledged })
      }).pipe(
        sql.withTransaction,
        Effect.tap(Option.match({
          onNone: () => Effect.void,
          onSome: ({ acknowledged }) =>
            acknowledged === undefined ? Effect.void : tell({ change: "acknowledged", alert: acknowledged })
        })),
        Effect.map(Option.map(({ acknowledged }) => acknowledged !== undefined))
      )

    const listen: AlertsService["listen"] = (listener) => holding(listeners, listener)

    const pendingOf: AlertsService["pendingOf"] = (agent, since) => {
      const found = pendingRows(sql`
        SELECT severity, COUNT(*) AS count, SUM(CASE WHEN created_at >= ${since} THEN 1 ELSE 0 END) AS recent
        FROM alerts WHERE agent = ${agent} AND status = 'pending' GROUP BY severity`)
      return Effect.map(found, (counts) => {
        const of = (severity: Severity) => counts.find((one) => one.severity === severity)?.count ?? 0
        return {
          info: of("info"),
          warning: of("warning"),
          critical: of("critical"),
          recent: counts.reduce((sum, { recent }) => sum + recent, 0)
        }
      })
    }

    return {
      send,
      list,
      acknowledge,
      get,
      listen,
      pendingOf,
      pending: rows.count(sql`SELECT COUNT(*) AS count FROM alerts WHERE status = 'pending'`)
    }
  })

/** `Alerts` in the store. */
export const layer = (options: Options = {}): Layer.Layer<Alerts, never, SqlClient.SqlClient> =>
  service(Alerts, make(options))
