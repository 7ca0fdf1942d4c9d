import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Json } from "../../schema/primitives.js"
import { Identifiers } from "../Identifiers.js"
import { service } from "../inOrder.js"
import { GatewayInstance } from "./GatewayInstance.js"
import * as Holding from "./holding.js"
import * as LibsqlClient from "./LibsqlClient.js"
import * as rows from "./rows.js"
import { type Claim, claims } from "./scheduleClaims.js"

const Arguments = Schema.Record({ key: Schema.String, value: Json })

/** What an agent has a gateway invoke at times to come. */
export const ScheduleRecord = Schema.Struct({
  scheduleId: Schema.String,
  capability: Schema.String,
  arguments: Schema.NullOr(Schema.parseJson(Arguments)),
  expression: Schema.NullOr(Schema.parseJson(Schema.String)),
  description: Schema.NullOr(Schema.parseJson(Schema.String)),
  createdAt: rows.Timestamp,
  nextRun: Schema.NullOr(rows.Timestamp),
  /** False as long as a transaction that is not committed has made it, or deleted it. */
  isLive: Schema.transformLiterals([0, false], [1, true])
})
export interface ScheduleRecord extends Schema.Schema.Type<typeof ScheduleRecord> {}

/** An agent has as many of a kind as it may; nothing was added. */
export class TooManySchedules
  extends Data.TaggedError("TooManySchedules")<{ readonly kind: "cron" | "delay"; readonly limit: number }>
{}

/** What is to be invoked: again and again where it has an expression, else once. */
export interface NewSchedule {
  readonly agent: string
  readonly capability: string
  readonly arguments: { readonly [name: string]: unknown } | undefined
  readonly expression?: string | undefined
  readonly description: string | undefined
  readonly nextRun: DateTime.Utc
}

export interface Options {
  /** How many cron jobs an agent can have; 100 unless given. */
  readonly maximumJobs?: number | undefined
  /** How many delayed invocations of an agent can wait; 1,000 unless given. */
  readonly maximumDelays?: number | undefined
}

/** How a run has ended. */
export type RunStatus = "ran" | "failed" | "skipped"

export interface SchedulesService {
  /** Adds one, and says its id. Within a transaction it is held until that is committed. */
  readonly add: (schedule: NewSchedule) => Effect.Effect<string, TooManySchedules | SqlError>
  /** The cron jobs of an agent, the oldest first. */
  readonly jobs: (agent: string) => Effect.Effect<ReadonlyArray<ScheduleRecord>, SqlError>
  /** Removes a cron job of an agent, and says whether there was one; within a transaction, when that is committed. */
  readonly remove: (agent: string, scheduleId: string) => Effect.Effect<boolean, SqlError>
  /**
   * Takes what is due, and what gateways had begun that no longer run, so that no other gateway does. `next` says when an expression
   * is due next, in milliseconds since 1970. What belongs to the agents in `busy` is left.
   */
  readonly claim: (request: {
    readonly now: number
    readonly most: number
    readonly busy: ReadonlyArray<string>
    readonly next: (expression: string, after: number) => number | undefined
  }) => Effect.Effect<ReadonlyArray<Claim>, SqlError>
  /**
   * When something is due next that nobody has taken and that does not belong to the agents in `busy`, and whether anything is held
   * until its agent is resumed.
   */
  readonly nextDue: (
    busy: ReadonlyArray<string>
  ) => Effect.Effect<{ readonly at: number | undefined; readonly isAnyHeld: boolean }, SqlError>
  /** Notes how a run has ended; what runs no more is removed. */
  readonly finish: (scheduleId: string, status: RunStatus) => Effect.Effect<void, SqlError>
  /** Gives back what is to run once, as its agent is paused: it is due again when the agent is resumed. */
  readonly hold: (claim: Claim) => Effect.Effect<void, SqlError>
  /** Notes that it has been told that runs were missed. */
  readonly told: (scheduleId: string) => Effect.Effect<void, SqlError>
  /** Removes whatever an agent has. */
  readonly removeAll: (agent: string) => Effect.Effect<void, SqlError>
  /** Calls the listener when there may be something to claim that was not there before, until the scope closes. */
  readonly listen: (listener: () => void) => Effect.Effect<void, never, Scope.Scope>
  /** Whether anything is held under a token. */
  readonly hasHeld: (token: string) => Effect.Effect<boolean, SqlError>
  /** Takes back what is held under a token. */
  readonly cancelHeld: (token: string) => Effect.Effect<void, SqlError>
  /** Does what is held under a token. */
  readonly letGo: (token: string) => Effect.Effect<void, SqlError>
}

/** What agents have a gateway invoke at times to come. */
export class Schedules extends Context.Tag("kruxos/local/store/Schedules")<Schedules, SchedulesService>() {}

const limits = { cron: 100, delay: 1000 }

const make = (options: Options) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const identifiers = yield* Identifiers
    const gateway = yield* GatewayInstance
    const { atomically } = LibsqlClient.quick(sql)
    const allRecords = rows.all(ScheduleRecord)
    const { claim, finish, hold, nextDue, told } = claims(atomically, gateway)
    const listeners = new Set<() => void>()
    const maximum = { cron: options.maximumJobs ?? limits.cron, delay: options.maximumDelays ?? limits.delay }
    const columns = sql.literal(
      `schedule_id AS "scheduleId", capability, arguments, expression, description, created_at AS "createdAt",
        next_run AS "nextRun",
        CASE WHEN created_in IS NULL AND deleted_in IS NULL THEN 1 ELSE 0 END AS "isLive"`
    )

    const tell = () => {
      for (const listener of listeners) listener()
    }

    const add: SchedulesService["add"] = ({ agent, arguments: given, capability, description, expression, nextRun }) =>
      Effect.gen(function*() {
        const kind = expression === undefined ? "delay" : "cron"
        const scheduleId = `${kind}-${identifiers.uuid()}`
        const token = yield* Holding.token
        const now = yield* Clock.currentTimeMillis
        const text = (value: string | undefined) => value === undefined ? null : JSON.stringify(value)
        const isAdded = yield* atomically((rowsOf) => {
          const counted = rowsOf(`SELECT schedule_id FROM schedules WHERE agent = ? AND kind = ? LIMIT ?`, [
            agent,
            kind,
            maximum[kind]
          ])
          if (counted.length >= maximum[kind]) return false
          rowsOf(
            `INSERT INTO schedules (schedule_id, agent, kind, capability, arguments, expression, description, created_at, next_run,
              missed, created_in) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
            [
              scheduleId,
              agent,
              kind,
              capability,
              given === undefined ? null : JSON.stringify(given),
              text(expression),
              text(description),
              now,
              DateTime.toEpochMillis(nextRun),
              token ?? null
            ]
          )
          return true
        }, tell)
        return isAdded ? scheduleId : yield* new TooManySchedules({ kind, limit: maximum[kind] })
      })

    const jobs: SchedulesService["jobs"] = (agent) =>
      allRecords(sql`
        SELECT ${columns} FROM schedules WHERE agent = ${agent} AND kind = 'cron' ORDER BY created_at, schedule_id`)

    const remove: SchedulesService["remove"] = (agent, scheduleId) =>
      Effect.flatMap(Holding.token, (token) =>
        Effect.map(
          token === undefined
            ? sql`DELETE FROM schedules WHERE agent = ${agent} AND kind = 'cron' AND schedule_id = ${scheduleId}
                AND deleted_in IS NULL RETURNING schedule_id`
            : sql`UPDATE schedules SET deleted_in = ${token} WHERE agent = ${agent} AND kind = 'cron'
                AND schedule_id = ${scheduleId} AND deleted_in IS NULL RETURNING schedule_id`,
          (removed) => removed.length > 0
        ))

    const removeAll: SchedulesService["removeAll"] = (agent) =>
      Effect.asVoid(sql`DELETE FROM schedules WHERE agent = ${agent}`)

    const listen: SchedulesService["listen"] = (listener) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.sync(() => listeners.add(listener)),
        () => Effect.sync(() => listeners.delete(listener))
      ))

    const hasHeld: SchedulesService["hasHeld"] = (token) =>
      Effect.map(
        rows.count(
          sql`SELECT COUNT(*) AS count FROM schedules WHERE created_in = ${token} OR deleted_in = ${token}`
        ),
        (count) => count > 0
      )

    const cancelHeld: SchedulesService["cancelHeld"] = (token) =>
      Effect.asVoid(atomically((rowsOf) => {
        rowsOf(`DELETE FROM schedules WHERE created_in = ?`, [token])
        rowsOf(`UPDATE schedules SET deleted_in = NULL WHERE deleted_in = ?`, [token])
      }, tell))

    const letGo: SchedulesService["letGo"] = (token) =>
      Effect.asVoid(atomically((rowsOf) => {
        rowsOf(`DELETE FROM schedules WHERE deleted_in = ?`, [token])
        rowsOf(`UPDATE schedules SET created_in = NULL WHERE created_in = ?`, [token])
      }, tell))

    return { add, jobs, remove, removeAll, claim, nextDue, finish, hold, told, listen, hasHeld, cancelHeld, letGo }
  })

/** `Schedules` in the store. */
export const layer = (
  options: Options = {}
): Layer.Layer<Schedules, never, SqlClient.SqlClient | GatewayInstance> => service(Schedules, make(options))
