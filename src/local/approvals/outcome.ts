import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { decodeFailure } from "../../errors/decode.js"
import { encodeFailure } from "../../errors/encode.js"
import { OutcomeUnknown } from "../../errors/gateway.js"
import { ApprovalExpired, ApprovalRejected, ApprovalRequired, TransactionClosed } from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import { wireFailureOfAny } from "../../errors/wire.js"
import { readResult } from "../protocol/readResult.js"
import type { ApprovalRecord } from "../store/Approvals.js"

const required = ({ approvalId, capability, expiresAt, idempotencyKey }: ApprovalRecord) =>
  new ApprovalRequired({
    message: `${capability} waits for a human's approval (${approvalId})`,
    approvalId,
    capability,
    idempotencyKey: Option.getOrUndefined(idempotencyKey),
    context: { expires_at: DateTime.formatIso(expiresAt) }
  })

/** What an agent is told whose request was rejected. */
export const rejected = ({ approvalId, capability, decisionReason }: ApprovalRecord): ApprovalRejected =>
  new ApprovalRejected({
    message: `A human refused ${capability} (${approvalId})`,
    approvalId,
    capability,
    reason: Option.getOrUndefined(decisionReason)
  })

// An agent takes a request back without a word.
const withdrawn = ({ approvalId, capability, decisionReason }: ApprovalRecord) =>
  `The request for approval of ${capability} was withdrawn (${approvalId})${
    Option.match(decisionReason, { onNone: () => "", onSome: (reason) => `: ${reason}` })
  }`

/** What an agent is told whose request nobody decided, that it took back, or whose transaction has ended. */
export const expired = (record: ApprovalRecord): ApprovalExpired =>
  new ApprovalExpired({
    message: record.status === "withdrawn"
      ? withdrawn(record)
      : `Nobody decided about ${record.capability} in time (${record.approvalId})`,
    approvalId: record.approvalId,
    capability: record.capability
  })

/** What an agent is told when what was approved is a step of a transaction that is over. */
export const transactionOver = ({ approvalId, capability }: ApprovalRecord, transactionId: string): TransactionClosed =>
  new TransactionClosed({
    message: `${capability} was approved (${approvalId}) as a step of a transaction that is over`,
    capability,
    transactionId
  })

/** What an agent is told when a bug cut off what was approved. */
export const lostTrack = ({ approvalId, capability }: ApprovalRecord): OutcomeUnknown =>
  new OutcomeUnknown({
    message: `${capability} was approved (${approvalId}) and met a bug: it may or may not have taken effect`,
    capability
  })

/** What has come of a request, as the invocation answers that made it; ApprovalRequired as long as it has not ended. */
export const outcomeOf = (record: ApprovalRecord): Effect.Effect<unknown, KruxosError> => {
  switch (record.status) {
    case "pending":
    case "running":
      return Effect.fail(required(record))
    case "rejected":
      return Effect.fail(rejected(record))
    case "expired":
    case "withdrawn":
      return Effect.fail(expired(record))
    case "approved": {
      const result = readResult(Option.getOrUndefined(record.result))
      if (result === undefined) return Effect.fail(lostTrack(record))
      return result.success
        ? Effect.succeed(result.data)
        : Effect.fail(decodeFailure(wireFailureOfAny(result.error), record.capability))
    }
  }
}

/** Whether nothing has come of a request yet. */
export const isOpen = ({ status }: ApprovalRecord): boolean => status === "pending" || status === "running"

/** What has come of a request, as `capabilities.invoke` answers it. */
export const resultOf = (record: ApprovalRecord) =>
  Effect.match(outcomeOf(record), {
    onFailure: (error) => ({ success: false, error: encodeFailure(error) }),
    onSuccess: (data) => ({ success: true, data })
  })
