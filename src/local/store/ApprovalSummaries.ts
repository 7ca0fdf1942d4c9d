import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { ApprovalState } from "../../schema/Approval.js"
import { Json } from "../../schema/primitives.js"
import { service } from "../inOrder.js"
import { ApprovalRecord } from "./Approvals.js"
import * as rows from "./rows.js"

/** Arguments of more characters of JSON than this are left out of lists, which would else have no bound. */
export const longestArguments = 16_384

/**
 * A request for approval as a list shows it: without its result, and without arguments that are long. `argumentsLength` is in
 * characters of JSON.
 */
export const ApprovalSummary = ApprovalRecord.pipe(
  Schema.omit("arguments", "before", "result", "traceparent"),
  Schema.extend(Schema.Struct({
    arguments: Schema.OptionFromNullOr(Schema.parseJson(Json)),
    argumentsLength: Schema.Int
  }))
)
export interface ApprovalSummary extends Schema.Schema.Type<typeof ApprovalSummary> {}

/** Which requests to list: all unless an agent or a status is given; the first 100 unless told otherwise. */
export interface Filter {
  readonly agent?: string | undefined
  readonly status?: ApprovalState | undefined
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

/** A part of a list, and how long the whole is. */
export interface ApprovalPage {
  readonly approvals: ReadonlyArray<ApprovalSummary>
  readonly total: number
}

/** Lists of the requests for approval. */
export class ApprovalSummaries extends Context.Tag("kruxos/local/store/ApprovalSummaries")<ApprovalSummaries, {
  /** The newest first. A pending one reads as expired once its time has passed. */
  readonly list: (filter: Filter) => Effect.Effect<ApprovalPage, SqlError>
  /** How many requests of each agent are pending; agents without any are left out. */
  readonly pending: Effect.Effect<ReadonlyMap<string, number>, SqlError>
}>() {}

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const allSummaries = rows.all(ApprovalSummary)
  const allCounts = rows.all(Schema.Struct({ agent: Schema.String, count: Schema.Int }))

  const withStatus = (status: ApprovalState | undefined, at: number) => {
    switch (status) {
      case undefined:
        return sql`1 = 1`
      case "pending":
        return sql`status = 'pending' AND expires_at > ${at}`
      case "expired":
        return sql`(status = 'expired' OR (status = 'pending' AND expires_at <= ${at}))`
      default:
        return sql`status = ${status}`
    }
  }

  const columns = (at: number) =>
    sql`approval_id AS "approvalId", agent, capability, digest, rule, reason, idempotency_key AS "idempotencyKey",
      CASE WHEN status = 'pending' AND expires_at <= ${at} THEN 'expired' ELSE status END AS status,
      requested_at AS "requestedAt", expires_at AS "expiresAt", decided_at AS "decidedAt", decided_by AS "decidedBy",
      decision_reason AS "decisionReason", began_at AS "beganAt",
      transaction_id AS "transactionId",
      CASE WHEN LENGTH(arguments) <= ${longestArguments} THEN arguments END AS arguments,
      LENGTH(arguments) AS "argumentsLength"`

  const list: Context.Tag.Service<ApprovalSummaries>["list"] = ({ agent, limit = 100, offset = 0, status }) =>
    Effect.gen(function*() {
      const at = DateTime.toEpochMillis(yield* DateTime.now)
      const fitting = sql`${agent === undefined ? sql`1 = 1` : sql`agent = ${agent}`} AND ${withStatus(status, at)}`
      const total = yield* rows.count(sql`SELECT COUNT(*) AS count FROM approvals WHERE ${fitting}`)
      const approvals = yield* allSummaries(sql`
        SELECT ${columns(at)} FROM approvals WHERE ${fitting}
        ORDER BY requested_at DESC, approval_id LIMIT ${limit} OFFSET ${offset}`)
      return { approvals, total }
    })

  const pending = Effect.gen(function*() {
    const at = DateTime.toEpochMillis(yield* DateTime.now)
    const counts = yield* allCounts(
      sql`SELECT agent, COUNT(*) AS count FROM approvals WHERE ${withStatus("pending", at)} GROUP BY agent`
    )
    return new Map(counts.map(({ agent, count }) => [agent, count]))
  })

  return { list, pending }
})

/** `ApprovalSummaries` in the store. */
export const layer: Layer.Layer<ApprovalSummaries, never, SqlClient.SqlClient> = service(ApprovalSummaries, make)
