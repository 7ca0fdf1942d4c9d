import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { Json } from "../../schema/primitives.js"
import * as rows from "./rows.js"

/** A request for a human's approval. `digest` is of the arguments, so that what is approved is what will run. */
export const ApprovalRecord = Schema.Struct({
  approvalId: Schema.String,
  agent: Schema.String,
  capability: Schema.String,
  arguments: Schema.parseJson(Json),
  digest: Schema.String,
  rule: Schema.String,
  reason: Schema.OptionFromNullOr(Schema.String),
  status: Schema.Literal("pending", "approved", "rejected", "expired"),
  requestedAt: rows.Timestamp,
  expiresAt: rows.Timestamp
})
export interface ApprovalRecord extends Schema.Schema.Type<typeof ApprovalRecord> {}

export interface ApprovalRequestsService {
  /**
   * Puts a request into the queue; one that is pending already, of the same agent for the same capability and arguments, is that
   * one. Arguments that are no JSON value are a `SqlError`.
   */
  readonly request: (request: {
    readonly agent: string
    readonly capability: string
    readonly arguments: unknown
    readonly digest: string
    readonly rule: string
    readonly reason?: string | undefined
    readonly expiresAt: DateTime.Utc
  }) => Effect.Effect<ApprovalRecord, SqlError>
  /** An agent's own request; none where it is another's. A pending one reads as expired once its time has passed. */
  readonly get: (request: {
    readonly agent: string
    readonly approvalId: string
  }) => Effect.Effect<Option.Option<ApprovalRecord>, SqlError>
  /** How many requests of all agents wait for a decision and have not expired. */
  readonly pendingCount: Effect.Effect<number, SqlError>
}

/** The requests for approval and what became of them. */
export class ApprovalRequests
  extends Context.Tag("kruxos/local/store/ApprovalRequests")<ApprovalRequests, ApprovalRequestsService>()
{}

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const firstApproval = rows.first(ApprovalRecord)
  const onlyApproval = rows.only(ApprovalRecord)
  const columns = sql.literal(
    `approval_id AS "approvalId", agent, capability, arguments, digest, rule, reason, status,
      requested_at AS "requestedAt", expires_at AS "expiresAt"`
  )

  const asOf = (now: DateTime.Utc) => (approval: ApprovalRecord): ApprovalRecord =>
    approval.status === "pending" && DateTime.greaterThan(now, approval.expiresAt)
      ? { ...approval, status: "expired" }
      : approval

  const request: ApprovalRequestsService["request"] = (options) =>
    Effect.gen(function*() {
      const text = yield* rows.encodeJson(options.arguments)
      const now = yield* DateTime.now
      const pending = yield* firstApproval(sql`
        SELECT ${columns} FROM approvals
        WHERE agent = ${options.agent} AND capability = ${options.capability} AND digest = ${options.digest}
          AND status = 'pending' AND expires_at > ${DateTime.toEpochMillis(now)} LIMIT 1`)
      if (Option.isSome(pending)) return pending.value
      return yield* onlyApproval(sql`
        INSERT INTO approvals
          (approval_id, agent, capability, arguments, digest, rule, reason, status, requested_at, expires_at)
        VALUES (${`apr-${randomBytes(16).toString("hex")}`}, ${options.agent}, ${options.capability}, ${text},
          ${options.digest}, ${options.rule}, ${options.reason ?? null}, 'pending', ${DateTime.toEpochMillis(now)},
          ${DateTime.toEpochMillis(options.expiresAt)})
        RETURNING ${columns}`)
    }).pipe(sql.withTransaction)

  const get: ApprovalRequestsService["get"] = ({ agent, approvalId }) =>
    Effect.gen(function*() {
      const found = yield* firstApproval(
        sql`SELECT ${columns} FROM approvals WHERE approval_id = ${approvalId} AND agent = ${agent}`
      )
      return Option.map(found, asOf(yield* DateTime.now))
    })

  const pendingCount: ApprovalRequestsService["pendingCount"] = Effect.flatMap(DateTime.now, (now) =>
    rows.count(sql`
      SELECT COUNT(*) AS count FROM approvals
      WHERE status = 'pending' AND expires_at >= ${DateTime.toEpochMillis(now)}`))

  return { request, get, pendingCount }
})

/** `ApprovalRequests` in the store. */
export const layer: Layer.Layer<ApprovalRequests, never, SqlClient.SqlClient> = Layer.effect(ApprovalRequests, make)
