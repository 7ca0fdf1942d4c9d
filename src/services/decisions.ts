import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Approvals from "../connection/approvals.js"
import type { Link } from "../connection/Link.js"
import { ApprovalTimeout } from "../errors/general.js"
import type { ApprovalState } from "../schema/Approval.js"
import { inSpan } from "./spans.js"
import { isTransient, longestRest, longestSilence } from "./waitingOut.js"

/** How a decision is waited for. */
export interface WaitOptions {
  /**
   * How long to wait at most; then the wait fails with ApprovalTimeout. Default: until the request is decided or has expired, which
   * is up to the gateway (24 hours, unless it is set otherwise there).
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * The waits between two questions to the gateway; a push of the gateway cuts one short. When it ends, the wait fails with
   * ApprovalTimeout. Default: 250 ms doubling up to 5 s, with jitter, without end.
   */
  readonly schedule?: Schedule.Schedule<unknown> | undefined
  /**
   * What becomes of the request when the wait ends before the decision, by its timeout or by interruption: it is left in the queue,
   * where it can still be decided and then runs (the default), or withdrawn, which takes at most 5 seconds. A gateway without
   * the feature `approvals` cannot withdraw anything.
   */
  readonly abandon?: "leave" | "withdraw" | undefined
}

/** The request to wait for, and what is known of it for messages. */
export interface Awaited {
  readonly approvalId: string
  readonly capability: string | undefined
}

/** Makes an effect as interruptible as it was outside of an uninterruptible region. */
type Restore = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Waits for decisions of humans, any number of them at a time. */
export interface Decisions {
  /**
   * Waits until the request is decided and what was approved has ended, whatever happens to the connection meanwhile. For use
   * in an uninterruptible region, whose `restore` the wait itself is given, so that no interruption misses what it leads to.
   */
  readonly wait: (
    awaited: Awaited,
    options: WaitOptions,
    restore: Restore
  ) => Effect.Effect<Approvals.RawApproval, Approvals.ApprovalsError | ApprovalTimeout>
}

/**
 * The waits between two questions to the gateway where nobody gives them: 250 ms, 500 ms, 1 s … up to 5 s, each shortened or lengthened
 * by chance, without end.
 */
export class DefaultSchedule extends Context.Reference<DefaultSchedule>()("kruxos/services/DefaultSchedule", {
  defaultValue: (): Schedule.Schedule<unknown> =>
    Schedule.exponential("250 millis").pipe(Schedule.union(Schedule.spaced("5 seconds")), Schedule.jittered)
}) {}

const withdrawWithin = Duration.seconds(5)

export const isResolved = (status: ApprovalState): boolean => status !== "pending" && status !== "running"

/** Makes them over a link. What the gateway pushes is read by one fiber, which starts with the first wait and ends with the scope. */
export const make = (link: Link, requestTimeoutMillis: number): Effect.Effect<Decisions, never, Scope.Scope> =>
  Effect.zipWith(Effect.scope, DefaultSchedule, (scope, defaultSchedule) => {
    const waiting = new Map<string, Set<Effect.Latch>>()
    let isListening = false

    const listen = Effect.suspend(() => {
      if (isListening) return Effect.void
      isListening = true
      const pushed = Stream.runForEach(link.notifications, ({ method, params }) =>
        Effect.sync(() => {
          if (method !== "notifications/kruxos/approval_resolved" || !Predicate.isRecord(params)) return
          const id = params["approval_id"]
          const latches = typeof id === "string" ? waiting.get(id) : undefined
          latches?.forEach((latch) => latch.unsafeOpen())
        }))
      // What was pushed while there was no connection is lost.
      const connectedAgain = Stream.runForEach(Stream.drop(link.status, 1), ({ _tag }) =>
        Effect.sync(() => {
          if (_tag !== "Connected") return
          for (const latches of waiting.values()) latches.forEach((latch) => latch.unsafeOpen())
        }))
      return Effect.all([pushed, connectedAgain], { concurrency: "unbounded", discard: true }).pipe(
        // It starts where no wait may be interrupted, and ends by interruption.
        Effect.interruptible,
        Effect.forkIn(scope)
      )
    })

    const enter = (approvalId: string) =>
      Effect.sync(() => {
        const latch = Effect.unsafeMakeLatch(false)
        const latches = waiting.get(approvalId) ?? new Set()
        waiting.set(approvalId, latches.add(latch))
        return latch
      })

    const leave = (approvalId: string, latch: Effect.Latch) =>
      Effect.sync(() => {
        const latches = waiting.get(approvalId)
        latches?.delete(latch)
        if (latches?.size === 0) waiting.delete(approvalId)
      })

    const gaveUp = ({ approvalId, capability }: Awaited, message: string, { timeout }: WaitOptions) =>
      new ApprovalTimeout({
        message: `${message} on ${approvalId}${capability === undefined ? "" : ` (${capability})`}`,
        approvalId,
        capability,
        timeout: timeout === undefined ? undefined : Duration.decode(timeout)
      })

    // The latch is closed before the question, so that a push while the answer is on its way leads to the next question at once.
    const ask = (awaited: Awaited, options: WaitOptions, pushed: Effect.Latch) =>
      Effect.gen(function*() {
        const waits = yield* Schedule.driver(options.schedule ?? defaultSchedule)
        let heard = yield* Clock.currentTimeMillis
        while (true) {
          pushed.unsafeClose()
          const answer = yield* Effect.either(Approvals.check(link, awaited.approvalId, requestTimeoutMillis))
          const now = yield* Clock.currentTimeMillis
          let rest = Duration.zero
          if (Either.isRight(answer)) {
            if (isResolved(answer.right.status)) return answer.right
            heard = now
          } else {
            const error = answer.left
            if (!isTransient(error) || now - heard > Duration.toMillis(longestSilence)) return yield* error
            rest = Duration.min(error.retryAfter ?? rest, longestRest)
          }
          yield* Effect.mapError(
            Effect.raceFirst(Effect.zipRight(Effect.sleep(rest), waits.next(answer)), pushed.await),
            () => gaveUp(awaited, "The schedule of the wait ended before there was a decision", options)
          )
        }
      })

    // Whoever interrupts waits for this, so that it must end soon, be the gateway there or not.
    const withdraw = ({ approvalId }: Awaited) =>
      Approvals.withdraw(link, approvalId, Duration.toMillis(withdrawWithin)).pipe(
        Effect.interruptible,
        Effect.timeout(withdrawWithin),
        Effect.either
      )

    const abandoned = (timeout: ApprovalTimeout, what: string, cause?: unknown) =>
      Effect.fail(new ApprovalTimeout({ ...timeout, message: `${timeout.message}; ${what}`, cause }))

    const withdrawAfter = (awaited: Awaited, timeout: ApprovalTimeout) =>
      Effect.flatMap(
        withdraw(awaited),
        Either.match({
          onLeft: (cause) => abandoned(timeout, "it could not be withdrawn", cause),
          onRight: (approval) => {
            if (approval.status === "withdrawn") return abandoned(timeout, "it is withdrawn")
            // The decision came first.
            return isResolved(approval.status)
              ? Effect.succeed(approval)
              : abandoned(timeout, `it could not be withdrawn: it is ${approval.status}`)
          }
        })
      )

    // In a finalizer, too, what is waited for must be able to end early: it runs in a fiber that can be interrupted.
    const untilTimeout = <A, E>(self: Effect.Effect<A, E>, awaited: Awaited, options: WaitOptions) =>
      Effect.timeoutFail(Effect.interruptible(self), {
        duration: options.timeout ?? Duration.infinity,
        onTimeout: () => gaveUp(awaited, "The wait ended before there was a decision", options)
      })

    return {
      wait: (awaited, options, restore) => {
        const decided = restore(Effect.acquireUseRelease(
          Effect.zipRight(listen, enter(awaited.approvalId)),
          (pushed) => untilTimeout(ask(awaited, options, pushed), awaited, options),
          (pushed) => leave(awaited.approvalId, pushed)
        ))
        const wait = options.abandon === "withdraw"
          ? decided.pipe(
            Effect.onInterrupt(() => withdraw(awaited)),
            Effect.catchTag("ApprovalTimeout", (timeout) => withdrawAfter(awaited, timeout))
          )
          : decided
        return inSpan(
          "kruxos.approval",
          {
            "kruxos.capability": awaited.capability,
            "kruxos.approval": awaited.approvalId
          },
          wait,
          ({ status }) => status
        )
      }
    }
  })
