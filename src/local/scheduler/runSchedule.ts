import type { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { KruxosError } from "../../errors/KruxosError.js"
import { Audit } from "../audit/Audit.js"
import { Core } from "../Core.js"
import { Sessions } from "../sessions/Sessions.js"
import { type Agent, Agents } from "../store/Agents.js"
import { Alerts } from "../store/Alerts.js"
import { keptHours } from "../store/KeyedInvocations.js"
import type { Claim } from "../store/scheduleClaims.js"
import { type RunStatus, Schedules } from "../store/Schedules.js"

const afterFailure = Duration.seconds(30)

/** How long a run may take. */
const longestRun = Duration.hours(2)

// While its key is surely remembered.
const longestTakeOver = Duration.hours(keptHours - 1)

/** The key of a run, with which its agent can ask for the outcome. */
export const keyOf = ({ dueAt, scheduleId }: Pick<Claim, "scheduleId" | "dueAt">): string =>
  `${scheduleId}@${DateTime.formatIso(DateTime.unsafeMake(dueAt))}`

type Ended = Exit.Exit<unknown, KruxosError>

const failureOf = (exit: Ended): { readonly _tag: string } | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  return Option.getOrElse(Cause.failureOption(exit.cause), () => ({ _tag: "InternalError" }))
}

/** Makes what runs what is scheduled: as its agent, under the policy as it is then. */
export const make = Effect.gen(function*() {
  const agents = yield* Agents
  const alerts = yield* Alerts
  const audit = yield* Audit
  const core = yield* Core
  const schedules = yield* Schedules
  const sessions = yield* Sessions

  const tell = (agent: string, message: string, context: { readonly [name: string]: unknown }) =>
    Effect.catchAll(
      alerts.send({ agent, severity: "warning", title: "Scheduler", message, context }),
      (cause) => Effect.logWarning(`There is no alert of it: ${message}`, cause)
    )

  const note = (
    change: "schedule_late" | "schedule_skipped" | "schedule_failed",
    claim: Claim,
    details: { readonly [name: string]: string | number | undefined }
  ) =>
    audit.scheduled(change, { agent: claim.agent, capability: claim.capability, idempotencyKey: keyOf(claim) }, {
      schedule_id: claim.scheduleId,
      due_at: DateTime.formatIso(DateTime.unsafeMake(claim.dueAt)),
      ...details
    })

  const contextOf = (claim: Claim) => ({
    schedule_id: claim.scheduleId,
    capability: claim.capability,
    due_at: DateTime.formatIso(DateTime.unsafeMake(claim.dueAt))
  })

  const sayLate = (claim: Claim) =>
    Effect.suspend(() => {
      const { capability, missed } = claim
      const runs = missed === 1 ? "A scheduled run was missed" : `${missed} scheduled runs were missed`
      return Effect.zipRight(
        note("schedule_late", claim, { missed }),
        tell(claim.agent, `${runs}: ${capability} runs once now`, {
          ...contextOf(claim),
          missed
        })
      )
    })

  // A run that is not ended in the store would keep its job from ever running again.
  const insistently = <A>(claim: Claim, effect: Effect.Effect<A, SqlError>): Effect.Effect<A> =>
    Effect.tapError(effect, (cause) => Effect.logWarning(`The store does not answer about ${keyOf(claim)}`, cause))
      .pipe(
        Effect.retry(Schedule.spaced(afterFailure)),
        Effect.orDie
      )

  // What is said before the end is said twice where the gateway is killed in between, and not never.
  const say = (claim: Claim, status: RunStatus, what: string, reason: string) =>
    Effect.zipRight(
      note(status === "failed" ? "schedule_failed" : "schedule_skipped", claim, { reason }),
      // Once, and not every minute.
      claim.lastStatus === status ?
        Effect.void :
        tell(claim.agent, `Scheduled, ${claim.capability} ${what}: ${reason}`, {
          ...contextOf(claim),
          reason
        })
    )

  const finish = (claim: Claim, status: RunStatus) => insistently(claim, schedules.finish(claim.scheduleId, status))

  const failed = (claim: Claim, reason: string) =>
    Effect.zipRight(say(claim, "failed", "failed", reason), finish(claim, "failed"))

  const notRun = (claim: Claim, reason: string) => say(claim, "skipped", "was not run", reason)

  const revoked = (claim: Claim) =>
    notRun(claim, "agent revoked").pipe(
      Effect.zipRight(finish(claim, "skipped")),
      Effect.zipRight(insistently(claim, schedules.removeAll(claim.agent)))
    )

  const paused = (claim: Claim) => {
    if (claim.expression === null) {
      const reason = "agent paused; it runs once when the agent is resumed"
      return Effect.zipRight(notRun(claim, reason), insistently(claim, schedules.hold(claim)))
    }
    return claim.isTakenOver
      ? failed(claim, "a gateway was stopped while it ran, and the agent is paused: nobody knows what came of it")
      : Effect.zipRight(notRun(claim, "agent paused"), finish(claim, "skipped"))
  }

  const invoked = (claim: Claim, agent: Agent) =>
    Effect.flatMap(
      sessions.open(agent, { transport: "memory", clientName: "scheduler" }),
      (opened) => core.invoke(opened, claim.capability, claim.arguments ?? {}, { idempotencyKey: keyOf(claim) })
    ).pipe(
      Effect.scoped,
      Effect.timeoutOption(longestRun),
      Effect.exit
    )

  const cameTo = (claim: Claim, exit: Exit.Exit<Option.Option<unknown>, KruxosError>) => {
    if (Exit.isSuccess(exit)) {
      return Option.isSome(exit.value)
        ? finish(claim, "ran")
        : failed(claim, `it took more than ${Duration.format(longestRun)}`)
    }
    const failure = failureOf(exit)
    switch (failure?._tag) {
      // It is in the queue, where a human decides.
      case "ApprovalRequired":
        return finish(claim, "ran")
      // Since it was looked at.
      case "SessionPaused":
        return paused(claim)
      default:
        return failed(claim, failure?._tag ?? "")
    }
  }

  const isForgotten = ({ begunAt, isTakenOver }: Claim) =>
    Effect.map(
      Clock.currentTimeMillis,
      (now) => isTakenOver && (begunAt === null || now - begunAt > Duration.toMillis(longestTakeOver))
    )

  /**
   * Makes a run, and notes what came of it. What is interrupted is left to the gateway after this one, which asks for the outcome
   * with the same key.
   */
  return (claim: Claim): Effect.Effect<void> =>
    Effect.gen(function*() {
      if (yield* isForgotten(claim)) {
        return yield* failed(claim, "a gateway was stopped while it ran, and nobody knows what came of it")
      }
      const found = yield* insistently(claim, agents.get(claim.agent))
      if (Option.isNone(found) || found.value.status === "revoked") return yield* revoked(claim)
      if (found.value.status === "paused") return yield* paused(claim)
      if (claim.missed > 0) {
        yield* sayLate(claim)
        yield* insistently(claim, schedules.told(claim.scheduleId))
      }
      yield* cameTo(claim, yield* invoked(claim, found.value))
    }).pipe(
      Effect.catchAllDefect((defect) =>
        Effect.zipRight(Effect.logError(`The run ${keyOf(claim)} failed`, defect), failed(claim, "InternalError"))
      )
    )
})
