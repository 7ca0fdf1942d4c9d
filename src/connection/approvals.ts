import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { InvalidInput, ServiceUnavailable, SessionPaused } from "../errors/general.js"
import { ApprovalState } from "../schema/Approval.js"
import { DateTimeUtc } from "../schema/primitives.js"
import { call, type DiscoveryError, discoveryError, errorOf, malformed, readResult } from "./invocations.js"
import { Malformed, type RawOutcome } from "./InvokeRequest.js"
import type { CallFailure, Channel, ChannelFailure, Link } from "./Link.js"

/** What asking about requests for approval can fail with; InvalidInput where there is no such request. */
export type ApprovalsError = InvalidInput | SessionPaused | ServiceUnavailable | DiscoveryError

/** A request for approval as the gateway tells of it; the outcome of what was approved is as it came. */
export interface RawApproval {
  readonly approvalId: string
  readonly capability: string | undefined
  readonly status: ApprovalState
  readonly reason: string | undefined
  readonly decidedAt: DateTime.Utc | undefined
  readonly decidedBy: string | undefined
  readonly expiresAt: DateTime.Utc | undefined
  /** What the approved invocation came to: absent where the gateway leaves it to the agent to run it. */
  readonly outcome: RawOutcome | undefined
}

const errorOfApprovals = (operation: string) => (failure: CallFailure | Malformed): ApprovalsError => {
  const error = errorOf(failure, operation)
  switch (error._tag) {
    case "InvalidInput":
    case "SessionPaused":
    case "ServiceUnavailable":
      return error
    default:
      return discoveryError(operation)(failure)
  }
}

const decodeState = Schema.decodeUnknownOption(ApprovalState)

const decodeTime = Schema.decodeUnknownOption(DateTimeUtc)

const decodeList = Schema.decodeUnknownOption(Schema.Struct({ approvals: Schema.Array(Schema.Unknown) }))

type Answer = { readonly [field: string]: unknown }

const textOf = (answer: Answer, ...names: ReadonlyArray<string>): string | undefined =>
  names.map((name) => answer[name]).find((value): value is string => typeof value === "string" && value !== "")

// A detail that cannot be read is no reason to hold back the decision.
const timeOf = (answer: Answer, name: string) => Option.getOrUndefined(decodeTime(answer[name]))

const stateOf = ({ status }: Answer): ApprovalState | undefined =>
  status === "timed_out" ? "expired" : Option.getOrUndefined(decodeState(status))

const read = (answer: unknown, approvalId?: string): RawApproval | undefined => {
  if (!Predicate.isRecord(answer)) return undefined
  const id = textOf(answer, "approval_id", "request_id") ?? approvalId
  const status = stateOf(answer)
  if (id === undefined || status === undefined) return undefined
  return {
    approvalId: approvalId ?? id,
    capability: textOf(answer, "capability"),
    status,
    reason: textOf(answer, "reason"),
    decidedAt: timeOf(answer, "decided_at"),
    decidedBy: textOf(answer, "decided_by"),
    expiresAt: timeOf(answer, "expires_at"),
    outcome: readResult(answer["result"])
  }
}

const readOr = (answer: unknown, approvalId: string, method: string): Effect.Effect<RawApproval, Malformed> => {
  const approval = read(answer, approvalId)
  return approval === undefined ? Effect.fail(malformed(method)) : Effect.succeed(approval)
}

const hasApprovals = ({ features }: Channel) => features.has("approvals")

const checkNative = (channel: Channel, approvalId: string, timeoutMillis: number) =>
  channel.request("approvals.check", { approval_id: approvalId }, timeoutMillis).pipe(
    Effect.flatMap((answer) => readOr(answer, approvalId, "approvals.check")),
    // Whoever runs what is approved knows what has come of it.
    Effect.filterOrFail(
      ({ outcome, status }) => status !== "approved" || outcome !== undefined,
      () => malformed("approvals.check")
    )
  )

const checkPlain = (channel: Channel, approvalId: string, timeoutMillis: number) =>
  channel.request("kruxos/checkApproval", { request_id: approvalId }, timeoutMillis).pipe(
    Effect.flatMap((answer) => readOr(answer, approvalId, "kruxos/checkApproval")),
    Effect.map((approval) => ({ ...approval, outcome: undefined }))
  )

/** Asks where a request for approval stands. */
export const check = (
  link: Link,
  approvalId: string,
  timeoutMillis: number
): Effect.Effect<RawApproval, ApprovalsError> =>
  Effect.mapError(
    call(
      link,
      { operation: "approvals.check", timeoutMillis, replayable: true },
      (channel, remaining) =>
        hasApprovals(channel)
          ? checkNative(channel, approvalId, remaining)
          : checkPlain(channel, approvalId, remaining)
    ),
    errorOfApprovals("approvals.check")
  )

const withFeature = <A>(
  link: Link,
  operation: string,
  timeoutMillis: number,
  run: (channel: Channel, timeoutMillis: number) => Effect.Effect<A, ChannelFailure | Malformed>
): Effect.Effect<A, ApprovalsError> =>
  Effect.mapError(
    call(
      link,
      { operation, timeoutMillis, replayable: true },
      (channel, remaining): Effect.Effect<A, ChannelFailure | Malformed> =>
        hasApprovals(channel)
          ? run(channel, remaining)
          : Effect.fail(
            new Malformed({ message: `The gateway has no ${operation}: it does not have the feature approvals` })
          )
    ),
    errorOfApprovals(operation)
  )

/** The requests for approval of this agent, as the gateway orders them. */
export const list = (
  link: Link,
  status: ApprovalState | undefined,
  timeoutMillis: number
): Effect.Effect<ReadonlyArray<RawApproval>, ApprovalsError> =>
  withFeature(link, "approvals.list", timeoutMillis, (channel, remaining) =>
    Effect.gen(function*() {
      const answer = yield* channel.request("approvals.list", status === undefined ? {} : { status }, remaining)
      const { approvals } = yield* Effect.mapError(decodeList(answer), () => malformed("approvals.list"))
      const readable = approvals.flatMap((item) => read(item) ?? [])
      if (readable.length < approvals.length) {
        yield* Effect.logWarning(
          `${approvals.length - readable.length} requests for approval are left out of the list: they cannot be read`
        )
      }
      return readable
    }))

/** Takes a request for approval back, and tells where it stands now: a decision that came before stays. */
export const withdraw = (
  link: Link,
  approvalId: string,
  timeoutMillis: number
): Effect.Effect<RawApproval, ApprovalsError> =>
  withFeature(link, "approvals.withdraw", timeoutMillis, (channel, remaining) =>
    Effect.flatMap(
      channel.request("approvals.withdraw", { approval_id: approvalId }, remaining),
      (answer) => readOr(answer, approvalId, "approvals.withdraw")
    ))
