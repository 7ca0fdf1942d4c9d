import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ApprovalState } from "../../schema/Approval.js"
import { readResult } from "../protocol/readResult.js"
import type { ApprovalRecord } from "../store/Approvals.js"
import type { ApprovalSummary } from "../store/ApprovalSummaries.js"

/**
 * A request for approval as supervisors see it, with secrets masked. `reason` is that of the policy's rule, `decision_reason` that of
 * whoever decided. In a list, arguments that are long are null and `arguments_length` says how many characters of JSON they are.
 */
export const ApprovalView = Schema.Struct({
  id: Schema.String,
  agent: Schema.String,
  capability: Schema.String,
  arguments: Schema.Unknown,
  arguments_length: Schema.optional(Schema.Int),
  digest: Schema.String,
  rule: Schema.String,
  /** The transaction that it is a step of. */
  transaction_id: Schema.optional(Schema.String),
  reason: Schema.NullOr(Schema.String),
  status: ApprovalState,
  created_at: Schema.DateTimeUtc,
  expires_at: Schema.DateTimeUtc,
  decided_at: Schema.optional(Schema.DateTimeUtc),
  decided_by: Schema.optional(Schema.String),
  decision_reason: Schema.optional(Schema.String),
  /** Whether what was approved succeeded, without what it returned. */
  success: Schema.optional(Schema.Boolean)
})
export interface ApprovalView extends Schema.Schema.Type<typeof ApprovalView> {}

/** A list of them; `total` is how many there are besides those that the list leaves out. */
export const ApprovalList = Schema.Struct({ approvals: Schema.Array(ApprovalView), total: Schema.Int })

/** What a request is refused with; `status` is that of a request for approval that can no longer be decided. */
export const RefusalView = Schema.Struct({ error: Schema.String, status: Schema.optional(ApprovalState) })

const common = (record: Omit<ApprovalSummary, "arguments" | "argumentsLength">) => ({
  id: record.approvalId,
  agent: record.agent,
  capability: record.capability,
  digest: record.digest,
  rule: record.rule,
  transaction_id: Option.getOrUndefined(record.transactionId),
  reason: Option.getOrNull(record.reason),
  status: record.status,
  created_at: record.requestedAt,
  expires_at: record.expiresAt,
  decided_at: Option.getOrUndefined(record.decidedAt),
  decided_by: Option.getOrUndefined(record.decidedBy),
  decision_reason: Option.getOrUndefined(record.decisionReason)
})

/** The view of a request whose arguments are masked. */
export const ofRecord = (record: ApprovalRecord): ApprovalView => ({
  ...common(record),
  arguments: record.arguments,
  success: readResult(Option.getOrUndefined(record.result))?.success
})

/** The view of a request in a list. */
export const ofSummary = (summary: ApprovalSummary): ApprovalView => ({
  ...common(summary),
  arguments: Option.getOrNull(summary.arguments),
  arguments_length: Option.isNone(summary.arguments) ? summary.argumentsLength : undefined
})
