import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Json } from "../../schema/primitives.js"
import type { GatewayInstance } from "./GatewayInstance.js"
import type { SchedulesService } from "./Schedules.js"
import type { RowsOf } from "./TransactionLevel.js"

const Row = Schema.Struct({
  scheduleId: Schema.String,
  agent: Schema.String,
  capability: Schema.String,
  arguments: Schema.NullOr(Schema.parseJson(Schema.Record({ key: Schema.String, value: Json }))),
  expression: Schema.NullOr(Schema.parseJson(Schema.String)),
  dueAt: Schema.Number,
  begunAt: Schema.NullOr(Schema.Number),
  /** How many runs before it were not made, and this one among them if it is late, as long as nobody has been told. */
  missed: Schema.Number,
  /** What came of the run before. */
  lastStatus: Schema.NullOr(Schema.String)
})

/** A run that is this gateway's to make. */
export interface Claim extends Schema.Schema.Type<typeof Row> {
  /** Whether another gateway, which has ended, had begun it before, and may have made it. */
  readonly isTakenOver: boolean
}

/** How late a run is, in milliseconds, when it was missed rather than kept waiting for a moment. */
export const lateAfter = 60_000

// More than these are not counted.
const mostMissed = 100

const decodeRows = Schema.decodeUnknownSync(Schema.Array(Row))
const decodeOwners = Schema.decodeUnknownSync(Schema.Array(Schema.Struct({ owner: Schema.String })))
const decodeDue = Schema.decodeUnknownSync(
  Schema.Array(Schema.Struct({ due: Schema.NullOr(Schema.Number), held: Schema.Number }))
)
const decodeNext = Schema.decodeUnknownSync(Schema.Array(Schema.Struct({ next: Schema.NullOr(Schema.Number) })))

const columns = (due: string) =>
  `schedule_id AS "scheduleId", agent, capability, arguments, expression, ${due} AS "dueAt", begun_at AS "begunAt", missed,
    last_status AS "lastStatus"`

const isFree = `next_run IS NOT NULL AND running_due IS NULL AND created_in IS NULL AND deleted_in IS NULL`

const isHeld = `COALESCE(last_status, '') = 'paused' AND agent IN (SELECT name FROM agents WHERE status = 'paused')`

const isWaiting = `${isFree} AND NOT (${isHeld})`

const isOther = (busy: ReadonlyArray<string>) =>
  busy.length === 0 ? "" : ` AND agent NOT IN (${busy.map(() => "?").join(", ")})`

type Atomically = <A>(f: (rowsOf: RowsOf) => A, committed?: (result: A) => void) => Effect.Effect<A, SqlError>

type Next = (expression: string, after: number) => number | undefined

// How many times an expression was due from a time on, but for the last, and when it is due next.
const following = (next: Next, expression: string, dueAt: number, now: number) => {
  let missed = 0
  let at = next(expression, dueAt)
  while (at !== undefined && at <= now && missed < mostMissed) {
    missed++
    at = next(expression, at)
  }
  return { missed, next: at !== undefined && at <= now ? next(expression, now) : at }
}

/** Makes what gives out the runs that are due, each to one gateway. */
export const claims = (
  atomically: Atomically,
  gateway: GatewayInstance["Type"]
): Pick<SchedulesService, "claim" | "nextDue" | "finish" | "hold" | "told"> => {
  const takeOver = (rowsOf: RowsOf, most: number, busy: ReadonlyArray<string>): ReadonlyArray<Claim> => {
    const owners = decodeOwners(rowsOf(`SELECT DISTINCT owner FROM schedules WHERE owner IS NOT NULL`, []))
    const gone = owners.flatMap(({ owner }) => owner === gateway.id || gateway.isAlive(owner) ? [] : [owner])
    if (gone.length === 0) return []
    return decodeRows(rowsOf(
      `UPDATE schedules SET owner = ? WHERE schedule_id IN (
        SELECT schedule_id FROM schedules WHERE owner IN (${gone.map(() => "?").join(", ")})${isOther(busy)} LIMIT ?)
        RETURNING ${columns("running_due")}`,
      [gateway.id, ...gone, ...busy, most]
    )).map((row) => ({ ...row, isTakenOver: true }))
  }

  const claim: SchedulesService["claim"] = ({ busy, most, next, now }) =>
    most <= 0 ? Effect.succeed([]) : atomically((rowsOf) => {
      const takenOver = takeOver(rowsOf, most, busy)
      const due = decodeRows(rowsOf(
        `SELECT ${columns("next_run")} FROM schedules WHERE next_run <= ? AND ${isWaiting}${isOther(busy)}
          ORDER BY next_run, schedule_id LIMIT ?`,
        [now, ...busy, most - takenOver.length]
      ))
      const taken = due.map((row): Claim => {
        const after = row.expression === null
          ? { missed: 0, next: undefined }
          : following(next, row.expression, row.dueAt, now)
        const isLate = row.lastStatus === "paused" || now - row.dueAt >= lateAfter
        const missed = isLate ? after.missed + 1 : 0
        const begunAt = row.begunAt ?? now
        rowsOf(
          `UPDATE schedules SET running_due = next_run, next_run = ?, owner = ?, begun_at = ?, missed = ?
            WHERE schedule_id = ?`,
          [after.next ?? null, gateway.id, begunAt, missed, row.scheduleId]
        )
        return { ...row, begunAt, missed, isTakenOver: row.begunAt !== null }
      })
      return [...takenOver, ...taken]
    })

  const nextDue: SchedulesService["nextDue"] = (busy) =>
    Effect.map(
      atomically((rowsOf) =>
        decodeDue(rowsOf(
          `SELECT (SELECT MIN(next_run) FROM schedules WHERE ${isWaiting}${isOther(busy)}) AS due,
            EXISTS (SELECT 1 FROM schedules WHERE ${isFree} AND ${isHeld}) AS held`,
          busy
        ))
      ),
      ([row]) => ({ at: row?.due ?? undefined, isAnyHeld: row?.held === 1 })
    )

  const finish: SchedulesService["finish"] = (scheduleId, status) =>
    Effect.asVoid(atomically((rowsOf) => {
      const [end] = decodeNext(rowsOf(`SELECT next_run AS next FROM schedules WHERE schedule_id = ?`, [scheduleId]))
      if (end === undefined) return
      if (end.next === null) rowsOf(`DELETE FROM schedules WHERE schedule_id = ?`, [scheduleId])
      else {
        rowsOf(
          `UPDATE schedules SET running_due = NULL, owner = NULL, begun_at = NULL, missed = 0, last_status = ?
              WHERE schedule_id = ?`,
          [status, scheduleId]
        )
      }
    }))

  // What a gateway had begun that has ended stays begun: whether it has run is known for as long as its key is.
  const hold: SchedulesService["hold"] = ({ begunAt, isTakenOver, scheduleId }) =>
    Effect.asVoid(atomically((rowsOf) =>
      rowsOf(
        `UPDATE schedules SET next_run = running_due, running_due = NULL, owner = NULL, begun_at = ?, missed = 0,
          last_status = 'paused' WHERE schedule_id = ? AND running_due IS NOT NULL AND expression IS NULL`,
        [isTakenOver ? begunAt : null, scheduleId]
      )
    ))

  const told: SchedulesService["told"] = (scheduleId) =>
    Effect.asVoid(atomically((rowsOf) => rowsOf(`UPDATE schedules SET missed = 0 WHERE schedule_id = ?`, [scheduleId])))

  return { claim, nextDue, finish, hold, told }
}
