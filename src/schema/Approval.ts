import type * as DateTime from "effect/DateTime"
import type * as Either from "effect/Either"
import * as Schema from "effect/Schema"

/**
 * Where a request for approval stands:
 *
 * - `pending`: nobody has decided yet.
 * - `running`: it is approved, and the gateway has not finished carrying it out.
 * - `approved`: it is approved and carried out, successfully or not. A plain KruxOS carries nothing out by itself; it says
 *   `approved` as soon as a human has.
 * - `rejected`: a human refused.
 * - `expired`: nobody decided in time.
 * - `withdrawn`: it was taken back before anybody decided.
 */
export const ApprovalState = Schema.Literal("pending", "running", "approved", "rejected", "expired", "withdrawn")
export type ApprovalState = typeof ApprovalState.Type

/**
 * What is known of a request for approval. Source: the guide's `ApprovalStatus`. What a gateway does not say is undefined; a plain
 * KruxOS says the status alone.
 */
export interface ApprovalStatus<A = unknown, E = unknown> {
  readonly approvalId: string
  readonly capability: string | undefined
  readonly status: ApprovalState
  /** Nothing will change any more: the status is neither `pending` nor `running`. */
  readonly resolved: boolean
  /** Why it was rejected or withdrawn, in the words of whoever did. */
  readonly reason: string | undefined
  readonly decidedAt: DateTime.Utc | undefined
  readonly decidedBy: string | undefined
  readonly expiresAt: DateTime.Utc | undefined
  /** What came of the invocation, where it is `approved` and the gateway has carried it out. */
  readonly result: Either.Either<A, E> | undefined
}

/**
 * How a request for approval ended:
 *
 * - `approved`: a human allowed it, the gateway carried it out, and `data` is its output.
 * - `granted`: a human allowed it at a plain KruxOS, which leaves it to the agent to make the invocation again.
 * - `rejected`: a human refused; `reason` says why, if they gave a reason.
 * - `expired`: nobody decided in time.
 * - `withdrawn`: it was taken back before anybody decided.
 *
 * `approved` is true of the first two.
 */
export type ApprovalOutcome<A = unknown> =
  | {
    readonly status: "approved"
    readonly approved: true
    readonly approvalId: string
    readonly data: A
    readonly reason?: never
  }
  | {
    readonly status: "granted"
    readonly approved: true
    readonly approvalId: string
    readonly data?: never
    readonly reason?: never
  }
  | {
    readonly status: "rejected" | "expired" | "withdrawn"
    readonly approved: false
    readonly approvalId: string
    readonly data?: never
    readonly reason: string | undefined
  }
