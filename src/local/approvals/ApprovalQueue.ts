import type { SqlError } from "@effect/sql/SqlError"
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { holding } from "../../connection/untilClose.js"
import { ResourceExhausted, ServiceUnavailable } from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { ApprovalState } from "../../schema/Approval.js"
import { Audit } from "../audit/Audit.js"
import { scopedService } from "../inOrder.js"
import type { Decision } from "../policy/Policy.js"
import { Drain } from "../protocol/drain.js"
import { storeUnavailable } from "../store/agentFailure.js"
import type { Agent } from "../store/Agents.js"
import { type ApprovalRecord, ApprovalRequests, type NewRequest } from "../store/Approvals.js"
import { type ApprovalPage, ApprovalSummaries, type Filter } from "../store/ApprovalSummaries.js"
import * as ApprovalTraces from "../tracing/approvals.js"
import { Transactions } from "../transactions/Transactions.js"
import { ApprovalDecided, ApprovalNotFound } from "./ApprovalErrors.js"
import * as CarryOut from "./carryOut.js"
import { digestOf } from "./digest.js"
import * as Endings from "./endings.js"
import * as Expiry from "./expiry.js"
import { maskSecrets } from "./maskSecrets.js"
import { outcomeOf } from "./outcome.js"
import * as Steps from "./steps.js"

/** An invocation that needs a human's approval. */
export interface Asked {
  readonly agent: Agent
  readonly capability: string
  readonly input: { readonly [name: string]: unknown }
  readonly decision: Decision
  readonly idempotencyKey: string | undefined
  /** The transaction that it is a step of, and the session that asks. */
  readonly transactionId?: string | undefined
  readonly sessionId?: string | undefined
  /** The caller undertakes to undo it, so that it may run in a transaction although it cannot be undone here. */
  readonly isCompensated?: boolean | undefined
  /** Its span, if it is traced. */
  readonly traceparent?: string | undefined
}

/** A request for approval of an agent has ended: carried out, rejected, expired or withdrawn. */
export interface Resolved {
  readonly agent: string
  readonly approvalId: string
  readonly status: ApprovalState
}

/** Who decides, and why. */
export interface Verdict {
  readonly verdict: "approve" | "reject"
  readonly by: string
  readonly reason?: string | undefined
}

/** The queue of what waits for a human, and what comes of it. */
export interface ApprovalQueueService {
  /**
   * Puts an invocation into the queue, and fails with ApprovalRequired; or, where the agent has asked for it before and it has been
   * decided since, succeeds or fails with what came of it. At most 1,000 requests of an agent are pending: ResourceExhausted. A step of
   * a transaction is admitted by it before.
   */
  readonly ask: (asked: Asked) => Effect.Effect<unknown, KruxosError>
  /**
   * Decides a request. What is approved is carried out by the gateway, with exactly the arguments shown. A blank reason is recorded
   * as a default one. The transaction of a step that is rejected is being rolled back when this ends.
   */
  readonly decide: (
    approvalId: string,
    verdict: Verdict
  ) => Effect.Effect<ApprovalRecord, ApprovalNotFound | ApprovalDecided | ServiceUnavailable>
  /** Takes an agent's own request back. */
  readonly withdraw: (
    agent: string,
    approvalId: string
  ) => Effect.Effect<ApprovalRecord, ApprovalNotFound | ApprovalDecided | ServiceUnavailable>
  /** Ends a request as if its time had passed; the transaction of a step is being rolled back when this ends. */
  readonly expire: (
    approvalId: string
  ) => Effect.Effect<void, ApprovalNotFound | ApprovalDecided | ServiceUnavailable>
  /** A request, of this agent if one is given, with its arguments masked. */
  readonly get: (
    approvalId: string,
    agent?: string
  ) => Effect.Effect<ApprovalRecord, ApprovalNotFound | ServiceUnavailable>
  /**
   * The same for the agent itself. From then on it has the result of what was approved, which no further invocation without a key
   * is given.
   */
  readonly handOver: (
    approvalId: string,
    agent: string
  ) => Effect.Effect<ApprovalRecord, ApprovalNotFound | ServiceUnavailable>
  /** Requests, the newest first, with their arguments masked. */
  readonly list: (filter: Filter) => Effect.Effect<ApprovalPage, ServiceUnavailable>
  /** Calls the listener with what ends from now on, until the scope closes. It must neither wait nor throw. */
  readonly onResolved: (listener: (resolved: Resolved) => void) => Effect.Effect<void, never, Scope.Scope>
}

export class ApprovalQueue extends Context.Tag("kruxos/local/ApprovalQueue")<ApprovalQueue, ApprovalQueueService>() {}

const mostPending = 1000

const lifetime = Duration.hours(24)

// A gateway that has to do much again serves before it is done.
const longestRecovery = Duration.seconds(10)

const full = ({ name }: Agent) =>
  new ResourceExhausted({
    message: `${mostPending} requests of agent ${name} wait for approval, as many as may`,
    resource: "pending_approvals",
    limit: mostPending,
    current: mostPending
  })

const belongsElsewhere = (approvalId: string) =>
  new ServiceUnavailable({
    message: `${approvalId} is a step of a transaction of another gateway on the same data: it is decided there`,
    service: "gateway",
    retryable: false
  })

const defaultReason = "The supervisor gave no reason"

const asShown = (record: ApprovalRecord): ApprovalRecord => ({ ...record, arguments: maskSecrets(record.arguments) })

const make = Effect.gen(function*() {
  const records = yield* ApprovalRequests
  const summaries = yield* ApprovalSummaries
  const drain = yield* Drain
  const carryOut = yield* CarryOut.make
  const audit = yield* Audit
  const listeners = new Set<(resolved: Resolved) => void>()
  const fibers = yield* FiberSet.make<void>()
  const steps = yield* Steps.make
  const transactions = yield* Transactions
  let running = 0
  yield* drain.track({ running: () => running })

  const tell = ({ agent, approvalId, status }: ApprovalRecord) =>
    Effect.sync(() => {
      for (const listener of listeners) listener({ agent, approvalId, status })
    })

  const traces = yield* ApprovalTraces.make
  const endings = yield* Endings.make(steps, traces, tell)

  const start = (record: ApprovalRecord) =>
    Effect.suspend(() => {
      running++
      return FiberSet.run(
        fibers,
        audit.carryOut(record, (exit) =>
          endings.finish(record, exit), (onEnd) =>
          traces.carryOut(record, (trace) => carryOut(record, steps.find(record), onEnd, trace))).pipe(
            Effect.ensuring(Effect.sync(() =>
              running--
            )),
            Effect.ignore,
            Effect.interruptible
          )
      )
    })

  const find = (approvalId: string, agent?: string) =>
    Effect.flatMap(
      Effect.mapError(records.get({ approvalId, agent }), storeUnavailable),
      Option.match({ onNone: () => new ApprovalNotFound({ approvalId }), onSome: Effect.succeed })
    )

  const whyNot = (approvalId: string, agent?: string) =>
    Effect.flatMap(find(approvalId, agent), ({ status }) =>
      Effect.fail(
        status === "pending" ? belongsElsewhere(approvalId) : new ApprovalDecided({ approvalId, status })
      ))

  const decide: ApprovalQueueService["decide"] = (approvalId, { by, reason, verdict }) =>
    Effect.gen(function*() {
      const approves = verdict === "approve"
      const given = reason?.trim() ?? ""
      const decided = yield* Effect.mapError(
        records.decide(approvalId, {
          status: approves ? "running" : "rejected",
          by,
          reason: given === "" && !approves ? defaultReason : given
        }),
        storeUnavailable
      )
      if (Option.isNone(decided)) return yield* whyNot(approvalId)
      if (approves) {
        yield* audit.decided(decided.value, "approved", by, given)
        yield* traces.decided(decided.value, "approved", by)
        yield* steps.goesOn(decided.value)
        yield* start(decided.value)
      } else {
        yield* endings.reject(decided.value, by, given)
      }
      return asShown(decided.value)
    }).pipe(Effect.uninterruptible)

  const withdraw: ApprovalQueueService["withdraw"] = (agent, approvalId) =>
    Effect.gen(function*() {
      yield* find(approvalId, agent)
      const decided = yield* Effect.mapError(
        records.decide(approvalId, { status: "withdrawn", by: agent }),
        storeUnavailable
      )
      if (Option.isNone(decided)) return yield* whyNot(approvalId, agent)
      yield* steps.goesOn(decided.value)
      yield* endings.withdraw(decided.value, agent)
      return asShown(decided.value)
    }).pipe(Effect.uninterruptible)

  const expire: ApprovalQueueService["expire"] = (approvalId) =>
    Effect.gen(function*() {
      if (!(yield* Effect.mapError(records.lapse(approvalId), storeUnavailable))) return yield* whyNot(approvalId)
      yield* expiry.expire
    }).pipe(Effect.uninterruptible)

  // A commit that fails leaves its transaction open, and nothing in it waits any more.
  const withdrawStep = (record: ApprovalRecord) =>
    Effect.zipRight(steps.goesOn(record), endings.withdraw(record, "transaction"))

  const withdrawSteps = (withdrawn: Effect.Effect<ReadonlyArray<ApprovalRecord>, SqlError>) =>
    Effect.flatMap(withdrawn, Effect.forEach(withdrawStep, { discard: true }))
      .pipe(
        Effect.catchAll((cause) =>
          Effect.logWarning("Requests for approval of a transaction that ended could not be withdrawn", cause)
        ),
        Effect.uninterruptible
      )

  const requested = (request: NewRequest, step: Steps.WaitingStep | undefined) =>
    Effect.gen(function*() {
      const record = yield* Effect.mapError(records.request(request), storeUnavailable)
      yield* expiry.added
      if (step === undefined) return record
      return yield* steps.wait(record, step, withdrawSteps(records.withdrawStepsOf(step.transactionId)))
    }).pipe(Effect.uninterruptible)

  const ask: ApprovalQueueService["ask"] = (asked) =>
    Effect.gen(function*() {
      const { agent, capability, decision, idempotencyKey, input, isCompensated = false, sessionId, traceparent } =
        asked
      const { transactionId } = asked
      const digest: string = yield* digestOf(input)
      const asker = { agent: agent.name, capability, digest, transactionId }
      if (idempotencyKey === undefined) {
        const collected = yield* Effect.mapError(records.collect(asker), storeUnavailable)
        if (Option.isSome(collected)) return yield* outcomeOf(collected.value)
      }
      if ((yield* Effect.mapError(records.pendingCountOf(agent.name), storeUnavailable)) >= mostPending) {
        return yield* full(agent)
      }
      const request = {
        ...asker,
        arguments: input,
        rule: decision.rule,
        reason: decision.reason,
        idempotencyKey,
        traceparent,
        expiresAt: DateTime.addDuration(yield* DateTime.now, lifetime)
      }
      const step = transactionId === undefined ? undefined : { transactionId, sessionId, isCompensated }
      return yield* Effect.flatMap(requested(request, step), outcomeOf)
    })

  const expiry = yield* Expiry.make(endings.expire)
  yield* transactions.onEnding((id) => withdrawSteps(records.withdrawStepsOf(id)))

  yield* withdrawSteps(records.withdrawOrphans)
  const takenOver = yield* records.takeOver
  if (takenOver.length > 0) {
    yield* Effect.logInfo(
      `${takenOver.length} approved invocations were cut off when a gateway stopped: going on with them`
    )
  }
  // What has begun is looked at before anything else may change the same files. From then on it has its turn.
  const [notBegun, begun] = Array.partition(takenOver, ({ beganAt }) => Option.isSome(beganAt))
  yield* Effect.forEach(begun, start).pipe(Effect.flatMap(Fiber.awaitAll), Effect.timeoutOption(longestRecovery))
  yield* Effect.forEach(notBegun, start, { discard: true })

  const queue: ApprovalQueueService = {
    ask,
    decide,
    withdraw,
    expire,
    get: (approvalId, agent) => Effect.map(find(approvalId, agent), asShown),
    handOver: (approvalId, agent) =>
      Effect.tap(
        Effect.map(find(approvalId, agent), asShown),
        ({ idempotencyKey, status }) =>
          status === "approved" && Option.isNone(idempotencyKey)
            ? Effect.mapError(records.markCollected(approvalId), storeUnavailable)
            : Effect.void
      ),
    list: (filter) =>
      Effect.mapBoth(summaries.list(filter), {
        onFailure: storeUnavailable,
        onSuccess: ({ approvals, total }) => ({
          approvals: approvals.map((summary) => ({
            ...summary,
            arguments: Option.map(summary.arguments, maskSecrets)
          })),
          total
        })
      }),
    onResolved: (listener) => holding(listeners, listener)
  }
  return queue
})

export const layer = scopedService(ApprovalQueue, make)
