import type { SqlError } from "@effect/sql/SqlError"
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { recoveryFor } from "../../catalogue/recovery.js"
import { encodeFailure } from "../../errors/encode.js"
import { ResourceExhausted, type ServiceUnavailable } from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { ApprovalState } from "../../schema/Approval.js"
import { Audit } from "../audit/Audit.js"
import { Registrations } from "../capabilities/Registrations.js"
import type { Decision } from "../policy/Policy.js"
import { Drain } from "../protocol/drain.js"
import { storeUnavailable } from "../store/agentFailure.js"
import type { Agent } from "../store/Agents.js"
import { type ApprovalRecord, ApprovalRequests } from "../store/Approvals.js"
import { type ApprovalPage, ApprovalSummaries, type Filter } from "../store/ApprovalSummaries.js"
import { KeyedInvocations } from "../store/KeyedInvocations.js"
import { ApprovalDecided, ApprovalNotFound } from "./ApprovalErrors.js"
import * as CarryOut from "./carryOut.js"
import { digestOf } from "./digest.js"
import { maskSecrets } from "./maskSecrets.js"
import { expired, lostTrack, outcomeOf, rejected } from "./outcome.js"

/** An invocation that needs a human's approval. */
export interface Asked {
  readonly agent: Agent
  readonly capability: string
  readonly input: { readonly [name: string]: unknown }
  readonly decision: Decision
  readonly idempotencyKey: string | undefined
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
   * decided since, succeeds or fails with what came of it. At most 1,000 requests of an agent are pending: ResourceExhausted.
   */
  readonly ask: (asked: Asked) => Effect.Effect<unknown, KruxosError>
  /**
   * Decides a request. What is approved is carried out by the gateway, with exactly the arguments shown. A blank reason is recorded
   * as a default one.
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
  /** What ends from now on, until the scope closes. */
  readonly resolved: Effect.Effect<Stream.Stream<Resolved>, never, Scope.Scope>
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

const defaultReason = "The supervisor gave no reason"

const asShown = (record: ApprovalRecord): ApprovalRecord => ({ ...record, arguments: maskSecrets(record.arguments) })

const make = Effect.gen(function*() {
  const records = yield* ApprovalRequests
  const summaries = yield* ApprovalSummaries
  const keyed = yield* KeyedInvocations
  const registrations = yield* Registrations
  const drain = yield* Drain
  const carryOut = yield* CarryOut.make
  const audit = yield* Audit
  const resolved = yield* Effect.acquireRelease(PubSub.sliding<Resolved>(4096), PubSub.shutdown)
  const fibers = yield* FiberSet.make<void>()
  const added = yield* Effect.makeLatch(false)
  let running = 0
  yield* drain.track({ running: () => running })

  const explain = (name: string, error: KruxosError) =>
    encodeFailure(error, recoveryFor(registrations.get(name)?.capability, error))

  const tell = ({ agent, approvalId, status }: ApprovalRecord) =>
    Effect.asVoid(PubSub.publish(resolved, { agent, approvalId, status }))

  // The key of an invocation answers with what came of its request.
  const settleKey = ({ agent, idempotencyKey }: ApprovalRecord, result: unknown) =>
    Option.match(idempotencyKey, {
      onNone: () => Effect.void,
      onSome: (key) => keyed.settle({ agent, idempotencyKey: key }, "done", result)
    })

  const notNoted = ({ approvalId }: ApprovalRecord) => (cause: SqlError) =>
    Effect.logError(`What came of ${approvalId} was not recorded`, cause)

  const settleRefused = (record: ApprovalRecord, error: KruxosError) =>
    Effect.gen(function*() {
      yield* records.forgetArguments(record.approvalId, maskSecrets(record.arguments))
      yield* settleKey(record, { success: false, error: explain(record.capability, error) })
    }).pipe(Effect.catchAll(notNoted(record)), Effect.zipRight(tell(record)))

  const finish = (record: ApprovalRecord, exit: Exit.Exit<unknown, KruxosError>) => {
    // The next gateway goes on with what this one is stopped in.
    if (Exit.isFailure(exit) && Cause.isInterrupted(exit.cause)) return Effect.void
    const result = Exit.match(exit, {
      onSuccess: (data) => ({ success: true, data }),
      onFailure: (cause) => ({
        success: false,
        error: explain(record.capability, Option.getOrElse(Cause.failureOption(cause), () => lostTrack(record)))
      })
    })
    return Effect.gen(function*() {
      yield* records.finish(record.approvalId, result, maskSecrets(record.arguments))
      yield* settleKey(record, result)
    }).pipe(
      Effect.catchAll(notNoted(record)),
      Effect.zipRight(tell({ ...record, status: "approved" })),
      Effect.zipRight(
        Exit.isFailure(exit) && Cause.isDie(exit.cause)
          ? Effect.logError(`${record.capability} failed`, exit.cause)
          : Effect.void
      )
    )
  }

  const start = (record: ApprovalRecord) =>
    Effect.suspend(() => {
      running++
      return FiberSet.run(
        fibers,
        audit.carryOut(record, (exit) => finish(record, exit), (onEnd) => carryOut(record, onEnd)).pipe(
          Effect.ensuring(Effect.sync(() => running--)),
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
    Effect.flatMap(find(approvalId, agent), ({ status }) => new ApprovalDecided({ approvalId, status }))

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
      yield* audit.decided(decided.value, approves ? "approved" : "rejected", by, given)
      yield* approves ? start(decided.value) : settleRefused(decided.value, rejected(decided.value))
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
      yield* audit.decided(decided.value, "withdrawn", agent)
      yield* settleRefused(decided.value, expired(decided.value))
      return asShown(decided.value)
    }).pipe(Effect.uninterruptible)

  const ask: ApprovalQueueService["ask"] = ({ agent, capability, decision, idempotencyKey, input }) =>
    Effect.gen(function*() {
      const digest: string = yield* digestOf(input)
      const asker = { agent: agent.name, capability, digest }
      if (idempotencyKey === undefined) {
        const collected = yield* Effect.mapError(records.collect(asker), storeUnavailable)
        if (Option.isSome(collected)) return yield* outcomeOf(collected.value)
      }
      if ((yield* Effect.mapError(records.pendingCountOf(agent.name), storeUnavailable)) >= mostPending) {
        return yield* full(agent)
      }
      const record = yield* Effect.mapError(
        records.request({
          ...asker,
          arguments: input,
          rule: decision.rule,
          reason: decision.reason,
          idempotencyKey,
          expiresAt: DateTime.addDuration(yield* DateTime.now, lifetime)
        }),
        storeUnavailable
      )
      yield* added.open
      return yield* outcomeOf(record)
    })

  const expire = Effect.flatMap(
    records.expire,
    Effect.forEach(
      (record) => Effect.zipRight(audit.decided(record, "expired", "time"), settleRefused(record, expired(record))),
      { discard: true }
    )
  ).pipe(Effect.catchAll((cause) => Effect.logWarning("Requests for approval could not be ended", cause)))
  const untilNextExpiry = Effect.gen(function*() {
    const next = yield* Effect.orElseSucceed(records.nextExpiry, Option.none)
    if (Option.isNone(next)) return yield* added.await
    const wait = Math.max(1, DateTime.distance(yield* DateTime.now, next.value))
    yield* Effect.raceFirst(Effect.sleep(Duration.millis(wait)), added.await)
  })
  const expireInTime = Effect.zipRight(Effect.zipRight(added.close, expire), untilNextExpiry)
  yield* Effect.forkScoped(Effect.forever(expireInTime))

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
    resolved: Effect.map(PubSub.subscribe(resolved), (subscription) => Stream.fromQueue(subscription))
  }
  return queue
})

export const layer = Layer.scoped(ApprovalQueue, make)
