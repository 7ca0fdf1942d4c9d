import type { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import * as HashSet from "effect/HashSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { decodeFailure } from "../../errors/decode.js"
import type { WireError } from "../../errors/encode.js"
import { OutcomeUnknown } from "../../errors/gateway.js"
import { InvalidInput, ResourceExhausted, ServiceUnavailable } from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import { wireFailureOfAny } from "../../errors/wire.js"
import { currentProgress, type ProgressListeners } from "../progress.js"
import { cancelledByCaller } from "../protocol/cancelledByCaller.js"
import { Drain } from "../protocol/drain.js"
import { readResult } from "../protocol/readResult.js"
import { storeUnavailable } from "../store/agentFailure.js"
import { GatewayInstance } from "../store/GatewayInstance.js"
import {
  type InvocationKey,
  type Invoked,
  type KeyedInvocation,
  KeyedInvocations as Records
} from "../store/KeyedInvocations.js"

/** An invocation with the key under which it runs once. */
export interface Keyed extends InvocationKey, Invoked {}

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
  readonly run: (
    keyed: Keyed,
    work: Effect.Effect<unknown, KruxosError>,
    explain: (error: KruxosError) => WireError
  ) => Effect.Effect<unknown, KruxosError>
  readonly outcome: (key: InvocationKey) => Effect.Effect<RecordedOutcome, ServiceUnavailable>
}>() {}

interface Running extends Keyed {
  readonly result: Deferred.Deferred<unknown, KruxosError>
  readonly progress: ProgressListeners | undefined
  fiber: Fiber.Fiber<void> | undefined
  waiting: number
}

const mostRunning = 16_384

// What a transaction refuses may be asked for with the same key in the next one.
const didNothing: ReadonlySet<KruxosError["_tag"]> = new Set<KruxosError["_tag"]>([
  "TransactionClosed",
  "NotReversible"
])

const nameOf = ({ agent, idempotencyKey }: InvocationKey) => `${agent}\n${idempotencyKey}`

const isSame = (one: Invoked, other: Invoked) => one.capability === other.capability && one.digest === other.digest

const otherUse = ({ capability, idempotencyKey }: Keyed) =>
  new InvalidInput({
    message: `The key ${idempotencyKey} belongs to an invocation with another capability or other arguments`,
    capability,
    field: "idempotency_key"
  })

const unknown = ({ capability, idempotencyKey }: Keyed) =>
  new OutcomeUnknown({
    message: `${capability} began, and how it ended is not on record: it may or may not have taken effect`,
    capability,
    idempotencyKey
  })

const runsElsewhere = ({ capability }: Keyed) =>
  new ServiceUnavailable({
    message: `Another gateway on the same data runs this ${capability}: ask again for its result`,
    capability,
    service: "gateway",
    retryAfter: Duration.seconds(1)
  })

const full = ({ capability }: Keyed) =>
  new ResourceExhausted({
    message: `The gateway runs ${mostRunning} keyed invocations, as many as it may`,
    capability,
    resource: "keyed_invocations",
    limit: mostRunning,
    current: mostRunning,
    retryable: true
  })

const recorded = (keyed: Keyed, kept: unknown): Effect.Effect<unknown, KruxosError> => {
  const result = readResult(kept)
  if (result === undefined) return Effect.fail(unknown(keyed))
  return result.success
    ? Effect.succeed(result.data)
    : Effect.fail(decodeFailure(wireFailureOfAny(result.error), keyed.capability))
}

const make = Effect.gen(function*() {
  const records = yield* Records
  const gateway = yield* GatewayInstance
  const recordId = yield* records.recordId
  const fibers = yield* FiberSet.make<void>()
  const running = new Map<string, Running>()
  // What somebody waits for is waited for by its connection.
  yield* (yield* Drain).track({
    running: () => [...running.values()].filter(({ waiting }) => waiting === 0).length
  })

  const repeated = (keyed: Keyed, record: KeyedInvocation): Effect.Effect<unknown, KruxosError> => {
    if (!isSame(record, keyed)) return Effect.fail(otherUse(keyed))
    if (record.status === "running" && record.owner !== gateway.id && gateway.isAlive(record.owner)) {
      return Effect.fail(runsElsewhere(keyed))
    }
    return recorded(keyed, Option.getOrUndefined(record.result))
  }

  // What is not noted stays `running`, of a gateway that no longer runs it: nobody will do it again.
  const note = (keyed: Keyed, exit: Exit.Exit<unknown, KruxosError>, explain: (error: KruxosError) => WireError) => {
    if (Exit.isSuccess(exit)) return records.settle(keyed, "done", { success: true, data: exit.value })
    const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
    if (failure === undefined || failure._tag === "OutcomeUnknown") return records.abandon(keyed)
    if (failure.retryable || didNothing.has(failure._tag)) return records.forget(keyed)
    return records.settle(keyed, failure._tag === "ApprovalRequired" ? "pending" : "done", {
      success: false,
      error: explain(failure)
    })
  }

  const notNoted = ({ capability, idempotencyKey }: Keyed) => (cause: SqlError) =>
    Effect.logError(`The outcome of ${capability} was not recorded (key ${idempotencyKey})`, cause)

  const work = (
    keyed: Keyed,
    effect: Effect.Effect<unknown, KruxosError>,
    explain: (error: KruxosError) => WireError
  ): Effect.Effect<unknown, KruxosError> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.mapError(records.begin(keyed, keyed), storeUnavailable), (record) =>
        Option.match(record, {
          onSome: (known) => repeated(keyed, known),
          onNone: () =>
            Effect.onExit(restore(effect), (exit) => Effect.catchAll(note(keyed, exit, explain), notNoted(keyed)))
        }))
    )

  const start = (keyed: Running, effect: Effect.Effect<unknown, KruxosError>) =>
    effect.pipe(
      Effect.onExit((exit) =>
        Effect.sync(() => {
          running.delete(nameOf(keyed))
          const told = Exit.isFailure(exit) && Cause.isInterrupted(exit.cause) ? Exit.fail(unknown(keyed)) : exit
          Deferred.unsafeDone(keyed.result, told)
        })
      ),
      Effect.ignore,
      Effect.interruptible
    )

  const wait = (keyed: Running) =>
    Effect.suspend(() => {
      keyed.waiting++
      return Deferred.await(keyed.result).pipe(
        Effect.ensuring(Effect.sync(() => keyed.waiting--)),
        Effect.onInterrupt((by) =>
          HashSet.has(by, cancelledByCaller) && keyed.waiting === 0 && keyed.fiber !== undefined
            ? Fiber.interruptFork(keyed.fiber)
            : Effect.void
        )
      )
    })

  // Where nobody wanted to know at first, nobody is told later.
  const join = (joined: Running, progress: ProgressListeners | undefined) =>
    joined.progress === undefined || progress === undefined
      ? wait(joined)
      : joined.progress.alsoTo(progress)(wait(joined))

  const run: Context.Tag.Service<RunOnce>["run"] = (keyed, effect, explain) =>
    Effect.withFiberRuntime((caller) => {
      const progress = caller.getFiberRef(currentProgress)
      const joined = running.get(nameOf(keyed))
      if (joined !== undefined) return isSame(joined, keyed) ? join(joined, progress) : Effect.fail(otherUse(keyed))
      if (running.size >= mostRunning) return Effect.fail(full(keyed))
      const begun: Running = {
        ...keyed,
        result: Deferred.unsafeMake(FiberId.none),
        progress,
        fiber: undefined,
        waiting: 0
      }
      running.set(nameOf(keyed), begun)
      return Effect.flatMap(FiberSet.run(fibers, start(begun, work(keyed, effect, explain))), (fiber) => {
        begun.fiber = fiber
        return wait(begun)
      })
    })

  const outcome: Context.Tag.Service<RunOnce>["outcome"] = (key) =>
    Effect.suspend(() => {
      if (running.has(nameOf(key))) return Effect.succeed<RecordedOutcome>({ status: "running" })
      return Effect.mapBoth(records.find(key), {
        onFailure: storeUnavailable,
        onSuccess: Option.match({
          onNone: (): RecordedOutcome => ({ status: "not_found" }),
          onSome: ({ owner, result, status }) => {
            if (Option.isSome(result)) return { status: "done", result: result.value }
            return {
              status: status === "running" && owner !== gateway.id && gateway.isAlive(owner) ? status : "unknown"
            }
          }
        })
      })
    })

  const orphans = yield* records.abandonOrphans
  if (orphans > 0) {
    yield* Effect.logWarning(
      `${orphans} keyed invocations were cut off when a gateway stopped: what they have done is not known`
    )
  }
  const sweep = Effect.catchAll(
    records.sweep,
    (cause) => Effect.logWarning("The record of keyed invocations was not swept", cause)
  )
  yield* Effect.forkScoped(Effect.repeat(sweep, Schedule.spaced("1 hour")))
  return { recordId, run, outcome }
})

export const layer: Layer.Layer<RunOnce, SqlError, Records | GatewayInstance | Drain> = Layer.scoped(RunOnce, make)
