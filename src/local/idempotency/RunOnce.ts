import type { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import * as HashSet from "effect/HashSet"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { atClose } from "../../connection/untilClose.js"
import { decodeFailure } from "../../errors/decode.js"
import type { WireError } from "../../errors/encode.js"
import type { ServiceUnavailable } from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import { wireFailureOfAny } from "../../errors/wire.js"
import { isOpen, outcomeOf, resultOf } from "../approvals/outcome.js"
import type { Audit } from "../audit/Audit.js"
import { scopedService } from "../inOrder.js"
import { currentProgress, type ProgressListeners } from "../progress.js"
import { cancelledByCaller } from "../protocol/cancelledByCaller.js"
import { Drain } from "../protocol/drain.js"
import { readResult } from "../protocol/readResult.js"
import type { EffectChecks } from "../recovery/EffectChecks.js"
import type { Workspaces } from "../sessions/Workspaces.js"
import { storeUnavailable } from "../store/agentFailure.js"
import type { Agents } from "../store/Agents.js"
import { ApprovalRequests } from "../store/Approvals.js"
import { GatewayInstance } from "../store/GatewayInstance.js"
import {
  type InvocationKey,
  type Invoked,
  type Journal,
  type KeyedInvocation,
  KeyedInvocations as Records
} from "../store/KeyedInvocations.js"
import { SweepInterval } from "../SweepInterval.js"
import * as CutOff from "./CutOff.js"
import * as Failures from "./failures.js"

/** An invocation with the key under which it runs once; `explain` gives its failures as they go on the wire. */
export interface Keyed extends InvocationKey, Invoked {
  readonly explain: (error: KruxosError) => WireError
}

/** What has become of a keyed invocation; `result` as `capabilities.invoke` answers it. */
export interface RecordedOutcome {
  readonly status: "running" | "done" | "unknown" | "not_found"
  readonly result?: unknown
}

/** Runs the invocation of an agent's key once, however often it is asked for. */
export class RunOnce extends Context.Tag("kruxos/local/RunOnce")<RunOnce, {
  /** Names the record, which outlives the gateway as far as its store does. */
  readonly recordId: string
  /**
   * Runs the work, joins it where it runs already, or answers from the record. The work goes on when whoever waits for it is
   * interrupted, unless the last of them was cancelled by its caller. Fails, besides, with InvalidInput for a key that belongs to
   * something else, OutcomeUnknown where the record does not say what the work has done, and ServiceUnavailable where it cannot be
   * read.
   */
  readonly run: (keyed: Keyed, work: Work) => Work
  /**
   * Runs the handler, as a part of that work. It is on record before that it begins, with what it began from, and when this ends what
   * came of it. Fails, besides, with ServiceUnavailable.
   */
  readonly enter: (keyed: Keyed, journal: Journal | undefined, handler: Work) => Work
  readonly outcome: (key: InvocationKey) => Effect.Effect<RecordedOutcome, ServiceUnavailable>
}>() {}

type Work = Effect.Effect<unknown, KruxosError>

interface Running extends Keyed {
  readonly result: Deferred.Deferred<unknown, KruxosError>
  readonly progress: ProgressListeners | undefined
  fiber: Fiber.Fiber<void> | undefined
  waiting: number
  isCancelled: boolean
  isRecorded: boolean
}

// What a transaction refuses may be asked for with the same key in the next one.
const didNothing: ReadonlySet<KruxosError["_tag"]> = new Set<KruxosError["_tag"]>([
  "TransactionClosed",
  "NotReversible"
])

const nameOf = ({ agent, idempotencyKey }: InvocationKey) => `${agent}\n${idempotencyKey}`

const isSame = (one: Invoked, other: Invoked) => one.capability === other.capability && one.digest === other.digest

const recorded = (keyed: Keyed, kept: unknown): Effect.Effect<unknown, KruxosError> => {
  const result = readResult(kept)
  if (result === undefined) return Effect.fail(Failures.unknown(keyed))
  return result.success
    ? Effect.succeed(result.data)
    : Effect.fail(decodeFailure(wireFailureOfAny(result.error), keyed.capability))
}

const make = Effect.gen(function*() {
  const records = yield* Records
  const approvals = yield* ApprovalRequests
  const gateway = yield* GatewayInstance
  const recordId = yield* records.recordId
  const fibers = yield* FiberSet.make<void>()
  const running = new Map<string, Running>()
  let isClosing = false
  yield* atClose(() => {
    isClosing = true
  })
  // What somebody waits for is waited for by its connection.
  yield* (yield* Drain).track({
    running: () => [...running.values()].filter(({ waiting }) => waiting === 0).length
  })

  // Only that says what comes of a pending one, and whatever holds by now, it is not run besides.
  const requestOf = (key: InvocationKey, record: KeyedInvocation) =>
    Effect.mapError(approvals.ofKey(key, record), storeUnavailable)

  const repeated = (keyed: Keyed, record: KeyedInvocation): Effect.Effect<unknown, KruxosError> => {
    if (!isSame(record, keyed)) return Effect.fail(Failures.otherUse(keyed))
    if (record.status === "pending") {
      return Effect.flatMap(
        requestOf(keyed, record),
        Option.match({ onNone: () => recorded(keyed, Option.getOrUndefined(record.result)), onSome: outcomeOf })
      )
    }
    if (record.status === "running" && record.owner !== gateway.id && gateway.isAlive(record.owner)) {
      return Effect.fail(Failures.runsElsewhere(keyed))
    }
    return recorded(keyed, Option.getOrUndefined(record.result))
  }

  // What is not noted stays `running`, of a gateway that no longer runs it: the next one finds out what it has done.
  const note = (keyed: Running, exit: Exit.Exit<unknown, KruxosError>) => {
    if (Exit.isSuccess(exit)) return records.settle(keyed, "done", { success: true, data: exit.value })
    const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
    if (isClosing && !keyed.isCancelled && Cause.isInterruptedOnly(exit.cause)) return Effect.void
    if (failure === undefined || failure._tag === "OutcomeUnknown") return records.abandon(keyed)
    if (failure.retryable || didNothing.has(failure._tag)) return records.forget(keyed)
    return records.settle(keyed, failure._tag === "ApprovalRequired" ? "pending" : "done", {
      success: false,
      error: keyed.explain(failure)
    })
  }

  const notNoted = ({ capability, idempotencyKey }: Keyed) => (cause: SqlError) =>
    Effect.logError(`The outcome of ${capability} was not recorded (key ${idempotencyKey})`, cause)

  const recordEnd = (keyed: Running, exit: Exit.Exit<unknown, KruxosError>) =>
    Effect.suspend(() => {
      if (keyed.isRecorded) return Effect.void
      keyed.isRecorded = true
      return Effect.catchAll(note(keyed, exit), notNoted(keyed))
    })

  const work = (keyed: Running, effect: Work): Work =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.mapError(records.begin(keyed, keyed), storeUnavailable), (record) =>
        Option.match(record, {
          onSome: (known) => repeated(keyed, known),
          onNone: () => Effect.onExit(restore(effect), (exit) => recordEnd(keyed, exit))
        }))
    )

  const enter: Context.Tag.Service<RunOnce>["enter"] = (keyed, journal, handler) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.zipRight(
        Effect.mapError(records.enter(keyed, journal), storeUnavailable),
        Effect.onExit(restore(handler), (exit) => {
          const begun = running.get(nameOf(keyed))
          return begun === undefined ? Effect.void : recordEnd(begun, exit)
        })
      )
    )

  const start = (keyed: Running, effect: Effect.Effect<unknown, KruxosError>) =>
    effect.pipe(
      Effect.onExit((exit) =>
        Effect.sync(() => {
          running.delete(nameOf(keyed))
          const told = Exit.isFailure(exit) && Cause.isInterrupted(exit.cause)
            ? Exit.fail(Failures.unknown(keyed))
            : exit
          Deferred.unsafeDone(keyed.result, told)
        })
      ),
      Effect.ignore,
      Effect.interruptible
    )

  const cancel = (keyed: Running, fiber: Fiber.Fiber<void>) =>
    Effect.suspend(() => {
      keyed.isCancelled = true
      return Fiber.interruptFork(fiber)
    })

  const wait = (keyed: Running) =>
    Effect.suspend(() => {
      keyed.waiting++
      return Deferred.await(keyed.result).pipe(
        Effect.ensuring(Effect.sync(() => keyed.waiting--)),
        Effect.onInterrupt((by) =>
          HashSet.has(by, cancelledByCaller) && keyed.waiting === 0 && keyed.fiber !== undefined
            ? cancel(keyed, keyed.fiber)
            : Effect.void
        )
      )
    })

  // Where nobody wanted to know at first, nobody is told later.
  const join = (joined: Running, progress: ProgressListeners | undefined) =>
    joined.progress === undefined || progress === undefined
      ? wait(joined)
      : joined.progress.alsoTo(progress)(wait(joined))

  const run: Context.Tag.Service<RunOnce>["run"] = (keyed, effect) =>
    Effect.withFiberRuntime((caller) => {
      const progress = caller.getFiberRef(currentProgress)
      const joined = running.get(nameOf(keyed))
      if (joined !== undefined) {
        return isSame(joined, keyed)
          ? join(joined, progress)
          : Effect.fail(Failures.otherUse(keyed))
      }
      if (cutOff.isLookedAt(keyed)) return Effect.fail(Failures.isLookedAt(keyed))
      if (running.size >= Failures.mostRunning) return Effect.fail(Failures.full(keyed))
      const begun: Running = {
        ...keyed,
        result: Deferred.unsafeMake(FiberId.none),
        progress,
        fiber: undefined,
        waiting: 0,
        isCancelled: false,
        isRecorded: false
      }
      running.set(nameOf(keyed), begun)
      return Effect.flatMap(FiberSet.run(fibers, start(begun, work(begun, effect))), (fiber) => {
        begun.fiber = fiber
        return wait(begun)
      })
    })

  const outcomeOfRecord = (
    key: InvocationKey,
    record: KeyedInvocation
  ): Effect.Effect<RecordedOutcome, ServiceUnavailable> => {
    const { owner, result, status } = record
    if (Option.isNone(result)) {
      const runs = status === "running" && owner !== gateway.id && gateway.isAlive(owner)
      return Effect.succeed({ status: runs ? "running" : "unknown" })
    }
    const noted: RecordedOutcome = { status: "done", result: result.value }
    if (status !== "pending") return Effect.succeed(noted)
    return Effect.flatMap(requestOf(key, record), (request) =>
      Option.isNone(request) || isOpen(request.value)
        ? Effect.succeed(noted)
        : Effect.map(resultOf(request.value), (ended) => ({ ...noted, result: ended })))
  }

  const outcome: Context.Tag.Service<RunOnce>["outcome"] = (key) =>
    Effect.suspend(() => {
      if (running.has(nameOf(key)) || cutOff.isLookedAt(key)) {
        return Effect.succeed<RecordedOutcome>({ status: "running" })
      }
      return Effect.flatMap(
        Effect.mapError(records.find(key), storeUnavailable),
        Option.match({
          onNone: () => Effect.succeed<RecordedOutcome>({ status: "not_found" }),
          onSome: (record) => outcomeOfRecord(key, record)
        })
      )
    })

  const cutOff = yield* CutOff.resolve
  const sweep = Effect.catchAll(
    records.sweep,
    (cause) => Effect.logWarning("The record of keyed invocations was not swept", cause)
  )
  yield* Effect.forkScoped(Effect.repeat(sweep, Schedule.spaced(yield* SweepInterval)))
  return { recordId, run, enter, outcome }
})

export const layer: Layer.Layer<
  RunOnce,
  SqlError,
  Agents | ApprovalRequests | Audit | Drain | EffectChecks | GatewayInstance | Records | Workspaces
> = scopedService(RunOnce, make)
