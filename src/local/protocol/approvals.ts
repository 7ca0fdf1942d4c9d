import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { InvalidInput } from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { ApprovalState } from "../../schema/Approval.js"
import type { ApprovalNotFound } from "../approvals/ApprovalErrors.js"
import { ApprovalQueue } from "../approvals/ApprovalQueue.js"
import { outcomeOf } from "../approvals/outcome.js"
import type { ApprovalRecord } from "../store/Approvals.js"
import { Drain } from "./drain.js"
import type { Listener } from "./Notification.js"
import { readResult } from "./readResult.js"

/** A request for approval as its agent sees it. */
type Shown =
  & Omit<ApprovalRecord, "arguments" | "before" | "result" | "traceparent">
  & Partial<Pick<ApprovalRecord, "result">>

const isOver = (status: ApprovalState) => status !== "pending" && status !== "running"

const noSuch = (field: string) => ({ message }: ApprovalNotFound) => new InvalidInput({ message, field })

const timeOf = (time: Option.Option<DateTime.Utc>) => Option.getOrUndefined(Option.map(time, DateTime.formatIso))

const shown = (
  { approvalId, capability, decidedAt, decidedBy, decisionReason, expiresAt, result, status }: Shown
) => ({
  approval_id: approvalId,
  capability,
  status,
  reason: Option.getOrUndefined(decisionReason),
  decided_at: timeOf(decidedAt),
  decided_by: Option.getOrUndefined(decidedBy),
  expires_at: DateTime.formatIso(expiresAt),
  result: status === "approved" && result !== undefined ? readResult(Option.getOrUndefined(result)) : undefined
})

// A plain KruxOS knows neither of the others, and says `approved` when the agent may go on.
const plainStatus = (status: ApprovalState) => {
  switch (status) {
    case "running":
      return "pending"
    case "withdrawn":
      return "expired"
    default:
      return status
  }
}

/** What an agent can do about its requests for approval, with the answers as they go on the wire. */
export const make = Effect.gen(function*() {
  const queue = yield* ApprovalQueue
  const drain = yield* Drain

  const check = (agent: string, approvalId: string) =>
    Effect.mapBoth(queue.handOver(approvalId, agent), {
      onFailure: (error) => error._tag === "ApprovalNotFound" ? noSuch("approval_id")(error) : error,
      onSuccess: shown
    })

  // What was decided stays so, and is what the answer says.
  const withdraw = (agent: string, approvalId: string) =>
    queue.withdraw(agent, approvalId).pipe(
      Effect.map(shown),
      Effect.catchTags({
        ApprovalDecided: () => check(agent, approvalId),
        ApprovalNotFound: (error) => noSuch("approval_id")(error)
      })
    )

  const list = (agent: string, status: ApprovalState | undefined) =>
    Effect.map(
      queue.list({ agent, status, limit: 1000 }),
      ({ approvals, total }) => ({ approvals: approvals.map(shown), total })
    )

  /** As a plain KruxOS answers. */
  const checkPlainly = (agent: string, approvalId: string) =>
    Effect.mapBoth(queue.get(approvalId, agent), {
      onFailure: (error) => error._tag === "ApprovalNotFound" ? noSuch("request_id")(error) : error,
      onSuccess: ({ capability, expiresAt, status }) => ({
        request_id: approvalId,
        capability,
        status: plainStatus(status),
        expires_at: DateTime.formatIso(expiresAt)
      })
    })

  const untilOver = (agent: string, approvalId: string, atMost: Duration.Duration) =>
    Effect.gen(function*() {
      // What ends between the look and the wait is not missed.
      const over = yield* Deferred.make<void>()
      yield* queue.onResolved((ended) => {
        if (ended.approvalId === approvalId) Deferred.unsafeDone(over, Exit.void)
      })
      const { status } = yield* queue.get(approvalId, agent)
      if (isOver(status)) return
      yield* Effect.timeoutOption(Effect.raceFirst(Deferred.await(over), drain.begun), atMost)
    }).pipe(Effect.scoped)

  /**
   * Runs an invocation, and where it needs approval waits at most that long until its request has ended; then it is as if it had
   * been made again. The request stays in the queue whatever becomes of the wait.
   */
  const hold = (
    agent: string,
    seconds: number,
    invocation: Effect.Effect<unknown, KruxosError>
  ): Effect.Effect<unknown, KruxosError> =>
    Effect.catchTag(
      invocation,
      "ApprovalRequired",
      ({ approvalId }) =>
        untilOver(agent, approvalId, Duration.seconds(seconds)).pipe(
          Effect.zipRight(queue.handOver(approvalId, agent)),
          Effect.catchTag("ApprovalNotFound", (error) => noSuch("approval_id")(error)),
          Effect.flatMap(outcomeOf)
        )
    )

  /** Tells an agent about its requests from now on. */
  const tell = (agent: string, listener: Listener) =>
    queue.onResolved((ended) => {
      if (ended.agent !== agent) return
      listener({
        method: "notifications/kruxos/approval_resolved",
        params: { approval_id: ended.approvalId, status: ended.status }
      })
    })

  return { check, checkPlainly, hold, list, tell, withdraw }
})
