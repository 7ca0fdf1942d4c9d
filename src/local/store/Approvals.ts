import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Fragment } from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ApprovalState } from "../../schema/Approval.js"
import { Json } from "../../schema/primitives.js"
import { Identifiers } from "../Identifiers.js"
import { service } from "../inOrder.js"
import { GatewayInstance } from "./GatewayInstance.js"
import type { InvocationKey, Invoked } from "./KeyedInvocations.js"
import * as rows from "./rows.js"

/**
 * A request for a human's approval. `digest` is of the arguments, so that what is approved is what will run. `running` is what is
 * approved and not finished; `beganAt` says that its handler may have begun, and `before` from which state of things.
 */
export const ApprovalRecord = Schema.Struct({
  approvalId: Schema.String,
  agent: Schema.String,
  capability: Schema.String,
  arguments: Schema.parseJson(Json),
  digest: Schema.String,
  rule: Schema.String,
  reason: Schema.OptionFromNullOr(Schema.String),
  idempotencyKey: Schema.OptionFromNullOr(Schema.String),
  status: ApprovalState,
  requestedAt: rows.Timestamp,
  expiresAt: rows.Timestamp,
  decidedAt: Schema.OptionFromNullOr(rows.Timestamp),
  decidedBy: Schema.OptionFromNullOr(Schema.String),
  decisionReason: Schema.OptionFromNullOr(Schema.String),
  beganAt: Schema.OptionFromNullOr(rows.Timestamp),
  before: Schema.OptionFromNullOr(Schema.parseJson(Json)),
  /** The transaction that it is a step of. */
  transactionId: Schema.OptionFromNullOr(Schema.String),
  /** The span of the invocation that asked for it, if that was traced. */
  traceparent: Schema.OptionFromNullOr(Schema.String),
  result: Schema.OptionFromNullOr(Schema.parseJson(Json))
})
export interface ApprovalRecord extends Schema.Schema.Type<typeof ApprovalRecord> {}

/** What an agent wants a human to approve. */
export interface NewRequest {
  readonly agent: string
  readonly capability: string
  readonly arguments: unknown
  readonly digest: string
  readonly rule: string
  readonly reason?: string | undefined
  readonly idempotencyKey?: string | undefined
  /** The transaction of this gateway that it is a step of. */
  readonly transactionId?: string | undefined
  /** The span of the invocation, if that is traced. */
  readonly traceparent?: string | undefined
  readonly expiresAt: DateTime.Utc
}

/** What a human, or the agent itself, made of a request that was pending. */
export interface Decision {
  readonly status: "running" | "rejected" | "withdrawn"
  readonly by: string
  readonly reason?: string | undefined
}

export interface ApprovalRequestsService {
  /**
   * Puts a request into the queue. Where the agent has made it before, in the same transaction or in none, it is that one: with the same
   * key whatever became of it, without a key as long as it is pending. Arguments that are no JSON value are a `SqlError`.
   */
  readonly request: (request: NewRequest) => Effect.Effect<ApprovalRecord, SqlError>
  /** A request, of this agent if one is given. A pending one reads as expired once its time has passed. */
  readonly get: (request: {
    readonly approvalId: string
    readonly agent?: string | undefined
  }) => Effect.Effect<Option.Option<ApprovalRecord>, SqlError>
  /** What an agent has asked for with a key; that may be a key which it had for something else long before. */
  readonly ofKey: (key: InvocationKey, invoked: Invoked) => Effect.Effect<Option.Option<ApprovalRecord>, SqlError>
  /** How many requests of all agents wait for a decision and have not expired. */
  readonly pendingCount: Effect.Effect<number, SqlError>
  readonly pendingCountOf: (agent: string) => Effect.Effect<number, SqlError>
  /**
   * Decides a request that is pending and has not expired; none where it is not, or is a step of another gateway's transaction. Only one
   * of several deciders gets it.
   */
  readonly decide: (approvalId: string, decision: Decision) => Effect.Effect<Option.Option<ApprovalRecord>, SqlError>
  /** Notes that the handler is about to begin. */
  readonly begin: (approvalId: string, before: unknown) => Effect.Effect<void, SqlError>
  /** Notes what came of an approved invocation; with it go the arguments to keep. */
  readonly finish: (approvalId: string, result: unknown, shown: unknown) => Effect.Effect<void, SqlError>
  /** Replaces the arguments of a request that will not run by those to keep. */
  readonly forgetArguments: (approvalId: string, shown: unknown) => Effect.Effect<void, SqlError>
  /** Takes the result, once, of an approved request of the agent that had no key and the same content, in the same transaction. */
  readonly collect: (request: {
    readonly agent: string
    readonly capability: string
    readonly digest: string
    readonly transactionId?: string | undefined
  }) => Effect.Effect<Option.Option<ApprovalRecord>, SqlError>
  /** Notes that the agent has the result of an approved request. */
  readonly markCollected: (approvalId: string) => Effect.Effect<void, SqlError>
  /** Withdraws what is pending of a transaction, and says which. */
  readonly withdrawStepsOf: (transactionId: string) => Effect.Effect<ReadonlyArray<ApprovalRecord>, SqlError>
  /** The same of all transactions of gateways that no longer run. */
  readonly withdrawOrphans: Effect.Effect<ReadonlyArray<ApprovalRecord>, SqlError>
  /** Lets the time of a request pass that is pending, and says whether it was; not of a step of another gateway's transaction. */
  readonly lapse: (approvalId: string) => Effect.Effect<boolean, SqlError>
  /** Ends the requests whose time has passed, and says which. Steps of a transaction are left to the gateway that has it. */
  readonly expire: Effect.Effect<ReadonlyArray<ApprovalRecord>, SqlError>
  /** When the next request expires. */
  readonly nextExpiry: Effect.Effect<Option.Option<DateTime.Utc>, SqlError>
  /** Takes over what gateways that no longer run were carrying out. */
  readonly takeOver: Effect.Effect<ReadonlyArray<ApprovalRecord>, SqlError>
}

/** The requests for approval and what became of them. */
export class ApprovalRequests
  extends Context.Tag("kruxos/local/store/ApprovalRequests")<ApprovalRequests, ApprovalRequestsService>()
{}

const Owner = Schema.Struct({ owner: Schema.NullOr(Schema.String) })

const Next = Schema.Struct({ next: Schema.NullOr(rows.Timestamp) })

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const gateway = yield* GatewayInstance
  const identifiers = yield* Identifiers
  const firstApproval = rows.first(ApprovalRecord)
  const onlyApproval = rows.only(ApprovalRecord)
  const allApprovals = rows.all(ApprovalRecord)
  const allOwners = rows.all(Owner)
  const onlyNext = rows.only(Next)
  const columns = sql.literal(
    `approval_id AS "approvalId", agent, capability, arguments, digest, rule, reason,
      idempotency_key AS "idempotencyKey", status, requested_at AS "requestedAt", expires_at AS "expiresAt",
      decided_at AS "decidedAt", decided_by AS "decidedBy", decision_reason AS "decisionReason",
      began_at AS "beganAt", before, transaction_id AS "transactionId", traceparent, result`
  )
  const now = Effect.map(DateTime.now, DateTime.toEpochMillis)

  const asOf = (at: DateTime.Utc) => (approval: ApprovalRecord): ApprovalRecord =>
    approval.status === "pending" && DateTime.greaterThanOrEqualTo(at, approval.expiresAt)
      ? { ...approval, status: "expired" }
      : approval

  const within = (transactionId: string | undefined) =>
    transactionId === undefined ? sql`transaction_id IS NULL` : sql`transaction_id = ${transactionId}`

  // Only the gateway that has a transaction can go on with it.
  const isHere = sql`(transaction_id IS NULL OR owner = ${gateway.id})`

  const known = ({ agent, capability, digest, idempotencyKey, transactionId }: NewRequest, at: number) =>
    sql.and([
      within(transactionId),
      idempotencyKey === undefined
        ? sql`agent = ${agent} AND capability = ${capability} AND digest = ${digest} AND idempotency_key IS NULL
            AND status = 'pending' AND expires_at > ${at}`
        : sql`agent = ${agent} AND idempotency_key = ${idempotencyKey} AND capability = ${capability}
            AND digest = ${digest}`
    ])

  const request: ApprovalRequestsService["request"] = (options) =>
    Effect.gen(function*() {
      const { transactionId } = options
      const text = yield* rows.encodeJson(options.arguments)
      const at = yield* DateTime.now
      const millis = DateTime.toEpochMillis(at)
      const found = yield* firstApproval(
        sql`SELECT ${columns} FROM approvals WHERE ${known(options, millis)} ORDER BY requested_at DESC LIMIT 1`
      )
      if (Option.isSome(found)) return asOf(at)(found.value)
      return yield* onlyApproval(sql`
        INSERT INTO approvals
          (approval_id, agent, capability, arguments, digest, rule, reason, idempotency_key, status, requested_at,
            expires_at, transaction_id, owner, traceparent)
        VALUES (${`apr-${identifiers.hexadecimal(16)}`}, ${options.agent}, ${options.capability}, ${text},
          ${options.digest}, ${options.rule}, ${options.reason ?? null}, ${options.idempotencyKey ?? null}, 'pending',
          ${millis}, ${DateTime.toEpochMillis(options.expiresAt)}, ${transactionId ?? null},
          ${transactionId === undefined ? null : gateway.id}, ${options.traceparent ?? null})
        RETURNING ${columns}`)
    }).pipe(sql.withTransaction)

  const ofAgent = (agent: string | undefined) => agent === undefined ? sql`1 = 1` : sql`agent = ${agent}`

  const firstOf = (which: Fragment) =>
    Effect.zipWith(
      firstApproval(sql`SELECT ${columns} FROM approvals WHERE ${which} LIMIT 1`),
      DateTime.now,
      (found, at) => Option.map(found, asOf(at))
    )

  const get: ApprovalRequestsService["get"] = ({ agent, approvalId }) =>
    firstOf(sql`approval_id = ${approvalId} AND ${ofAgent(agent)}`)

  // The digest of a step is one of its transaction, too, in which a key has one use.
  const ofKey: ApprovalRequestsService["ofKey"] = ({ agent, idempotencyKey }, { capability, digest, transactionId }) =>
    firstOf(sql.and([
      within(transactionId),
      sql`agent = ${agent} AND idempotency_key = ${idempotencyKey} AND capability = ${capability}`,
      transactionId === undefined ? sql`digest = ${digest}` : sql`1 = 1`
    ]))

  const pendingOf = (agent: string | undefined) =>
    Effect.flatMap(now, (at) =>
      rows.count(sql`
        SELECT COUNT(*) AS count FROM approvals WHERE status = 'pending' AND expires_at > ${at} AND ${ofAgent(agent)}`))

  const decide: ApprovalRequestsService["decide"] = (approvalId, { by, reason, status }) =>
    Effect.flatMap(now, (at) =>
      firstApproval(sql`
        UPDATE approvals SET status = ${status}, decided_at = ${at}, decided_by = ${by},
          decision_reason = ${reason ?? null}, owner = ${status === "running" ? gateway.id : null}
        WHERE approval_id = ${approvalId} AND status = 'pending' AND expires_at > ${at} AND ${isHere}
        RETURNING ${columns}`))

  const begin: ApprovalRequestsService["begin"] = (approvalId, before) =>
    Effect.gen(function*() {
      const text = before === undefined ? null : yield* rows.encodeJson(before)
      yield* sql`UPDATE approvals SET began_at = ${yield* now}, before = ${text} WHERE approval_id = ${approvalId}`
    })

  const finish: ApprovalRequestsService["finish"] = (approvalId, result, shown) =>
    Effect.gen(function*() {
      const [text, kept] = [yield* rows.encodeJson(result), yield* rows.encodeJson(shown)]
      yield* sql`
        UPDATE approvals SET status = 'approved', result = ${text}, arguments = ${kept}
        WHERE approval_id = ${approvalId} AND status = 'running'`
    })

  const forgetArguments: ApprovalRequestsService["forgetArguments"] = (approvalId, shown) =>
    Effect.flatMap(
      rows.encodeJson(shown),
      (kept) => Effect.asVoid(sql`UPDATE approvals SET arguments = ${kept} WHERE approval_id = ${approvalId}`)
    )

  const collect: ApprovalRequestsService["collect"] = ({ agent, capability, digest, transactionId }) =>
    firstApproval(sql`
      UPDATE approvals SET collected = 1 WHERE approval_id = (
        SELECT approval_id FROM approvals
        WHERE agent = ${agent} AND capability = ${capability} AND digest = ${digest} AND idempotency_key IS NULL
          AND status = 'approved' AND collected = 0 AND ${within(transactionId)}
        ORDER BY decided_at LIMIT 1)
      RETURNING ${columns}`)

  const markCollected: ApprovalRequestsService["markCollected"] = (approvalId) =>
    Effect.asVoid(sql`UPDATE approvals SET collected = 1 WHERE approval_id = ${approvalId}`)

  const withdrawAll = (which: Fragment) =>
    Effect.flatMap(now, (at) =>
      allApprovals(sql`
        UPDATE approvals SET status = 'withdrawn', decided_at = ${at}, decided_by = 'transaction',
          decision_reason = 'its transaction has ended'
        WHERE status = 'pending' AND ${which} RETURNING ${columns}`))

  const withdrawStepsOf: ApprovalRequestsService["withdrawStepsOf"] = (transactionId) =>
    withdrawAll(within(transactionId))

  const goneAmong = (which: Fragment) =>
    Effect.map(
      allOwners(sql`SELECT DISTINCT owner FROM approvals WHERE ${which}`),
      (owners) => owners.flatMap(({ owner }) => owner === null || gateway.isAlive(owner) ? [] : [owner])
    )

  const withdrawOrphans: ApprovalRequestsService["withdrawOrphans"] = Effect.flatMap(
    goneAmong(sql`status = 'pending'`),
    (gone) => gone.length === 0 ? Effect.succeed([]) : withdrawAll(sql.in("owner", gone))
  )

  const lapse: ApprovalRequestsService["lapse"] = (approvalId) =>
    Effect.flatMap(now, (at) =>
      Effect.map(
        firstApproval(sql`
          UPDATE approvals SET expires_at = ${at}
          WHERE approval_id = ${approvalId} AND status = 'pending' AND expires_at > ${at} AND ${isHere}
          RETURNING ${columns}`),
        Option.isSome
      ))

  const expire: ApprovalRequestsService["expire"] = Effect.flatMap(now, (at) =>
    allApprovals(sql`
      UPDATE approvals SET status = 'expired'
      WHERE status = 'pending' AND expires_at <= ${at} AND ${isHere} RETURNING ${columns}`))

  const nextExpiry: ApprovalRequestsService["nextExpiry"] = Effect.map(
    onlyNext(sql`SELECT MIN(expires_at) AS next FROM approvals WHERE status = 'pending' AND ${isHere}`),
    ({ next }) => Option.fromNullable(next)
  )

  const takeOver: ApprovalRequestsService["takeOver"] = Effect.gen(function*() {
    const gone = yield* goneAmong(sql`status = 'running'`)
    if (gone.length === 0) return []
    return yield* allApprovals(sql`
      UPDATE approvals SET owner = ${gateway.id}
      WHERE status = 'running' AND ${sql.in("owner", gone)} RETURNING ${columns}`)
  })

  return {
    request,
    get,
    ofKey,
    pendingCount: pendingOf(undefined),
    pendingCountOf: pendingOf,
    decide,
    begin,
    finish,
    forgetArguments,
    collect,
    markCollected,
    withdrawStepsOf,
    withdrawOrphans,
    lapse,
    expire,
    nextExpiry,
    takeOver
  }
})

/** `ApprovalRequests` in the store. */
export const layer: Layer.Layer<ApprovalRequests, never, SqlClient.SqlClient | GatewayInstance> = service(
  ApprovalRequests,
  make
)
