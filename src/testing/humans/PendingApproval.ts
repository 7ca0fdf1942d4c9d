import type * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { ApprovalRecord } from "../../local/store/Approvals.js"

/** A request for approval that waits for a human, as the human sees it. */
export interface PendingApproval {
  readonly approvalId: string
  readonly capability: string
  /** As they were given, with what looks like a secret masked. */
  readonly arguments: { readonly [name: string]: unknown }
  /** Why the policy wants it approved, if it says so. */
  readonly reason: string | undefined
  readonly agent: string
  readonly requestedAt: DateTime.Utc
  readonly expiresAt: DateTime.Utc
  /** The transaction that it is a step of. */
  readonly transactionId: string | undefined
}

type Shown = Pick<
  ApprovalRecord,
  "approvalId" | "capability" | "reason" | "agent" | "requestedAt" | "expiresAt" | "transactionId"
>

/** What a human is shown of a request, with its arguments as they may be shown. */
export const pendingApproval = (record: Shown, given: unknown): PendingApproval => ({
  approvalId: record.approvalId,
  capability: record.capability,
  arguments: Predicate.isReadonlyRecord(given) ? given : {},
  reason: Option.getOrUndefined(record.reason),
  agent: record.agent,
  requestedAt: record.requestedAt,
  expiresAt: record.expiresAt,
  transactionId: Option.getOrUndefined(record.transactionId)
})
