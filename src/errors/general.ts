import * as Schema from "effect/Schema"
import { RollbackConflict } from "../schema/Rollback.js"
import { knownNumber, knownText, taggedError } from "./base.js"

/** The policy forbids the invocation; `rule` is the rule that says so. */
export class PolicyDenied extends taggedError<PolicyDenied>()("PolicyDenied", { rule: knownText, reason: knownText }) {}

/**
 * The invocation waits for a human. This value is the handle of the request: it is a schema, so that it can be stored as JSON, and
 * waited on later or from another process (`Approvals.wait`). `idempotencyKey` is that of the invocation, if it was sent with one.
 */
export class ApprovalRequired<Name extends string = string>
  extends taggedError<ApprovalRequired>()("ApprovalRequired", { approvalId: Schema.String, idempotencyKey: knownText })
{
  declare readonly capability: Name | undefined

  /** The schema of the handles of one capability: loading one from where it was stored, it knows the type of its data. */
  static readonly ofCapability = <Name extends string>(
    name: Name
  ): Schema.Schema<ApprovalRequired<Name>, HandleEncoded> =>
    ApprovalRequired.pipe(
      Schema.filter((handle): handle is ApprovalRequired<Name> => handle.capability === name, {
        message: () => `this is not a request for approval of ${name}`
      })
    )
}

type HandleEncoded = typeof ApprovalRequired.Encoded

/** A human refused the invocation. */
export class ApprovalRejected extends taggedError<ApprovalRejected>()("ApprovalRejected", {
  approvalId: knownText,
  reason: knownText
}) {}

/**
 * Nobody will decide: the request for approval has expired or was withdrawn, or the approval no longer held when it was to be used.
 */
export class ApprovalExpired extends taggedError<ApprovalExpired>()("ApprovalExpired", { approvalId: knownText }) {}

/**
 * The caller stopped waiting for a decision. The request is still in the queue, unless the caller wanted it withdrawn then;
 * `timeout` is how long was waited at most, where that was said.
 */
export class ApprovalTimeout extends taggedError<ApprovalTimeout>()("ApprovalTimeout", {
  approvalId: Schema.String,
  timeout: Schema.optional(Schema.DurationFromMillis)
}) {}

/** The invocation cannot be undone and was asked for inside a transaction; it did not run. */
export class NotReversible extends taggedError<NotReversible>()("NotReversible", {}) {}

/** The transaction that the invocation belongs to is over. */
export class TransactionClosed extends taggedError<TransactionClosed>()("TransactionClosed", {
  transactionId: knownText
}) {}

/**
 * A transaction took longer than it may, and was rolled back; `timeout` is how long it may take. Time in which one of its steps waits
 * for approval does not count.
 */
export class TransactionTimeout extends taggedError<TransactionTimeout>()("TransactionTimeout", {
  transactionId: knownText,
  timeout: Schema.optional(Schema.DurationFromMillis)
}) {}

/**
 * A transaction was rolled back, and not all of what it had done could be undone: `rolledBack` and `notReversible` are the
 * capabilities of its steps, `conflicts` what somebody else has changed since and was therefore left alone. The `cause` is why it was
 * rolled back.
 */
export class RollbackIncomplete extends taggedError<RollbackIncomplete>()("RollbackIncomplete", {
  transactionId: knownText,
  rolledBack: Schema.Array(Schema.String),
  notReversible: Schema.Array(Schema.String),
  conflicts: Schema.Array(RollbackConflict)
}) {}

/** An argument is missing, mistyped or not allowed; `field` names it. */
export class InvalidInput extends taggedError<InvalidInput>()("InvalidInput", {
  field: knownText,
  reason: knownText
}) {}

/** The operating system does not let the gateway do this. */
export class PermissionDenied extends taggedError<PermissionDenied>()("PermissionDenied", {
  path: knownText,
  operation: knownText
}) {}

/** A limit of the gateway is reached. */
export class ResourceExhausted extends taggedError<ResourceExhausted>()("ResourceExhausted", {
  resource: knownText,
  limit: Schema.optional(Schema.Unknown),
  current: Schema.optional(Schema.Unknown)
}) {}

/** Too many calls in a time; `retryAfter` says when the next one may come. `windowSeconds` is the time's length. */
export class RateLimited extends taggedError<RateLimited>()("RateLimited", {
  limit: knownNumber,
  windowSeconds: knownNumber
}, { retryable: true }) {}

/** A service that the capability needs is not there. */
export class ServiceUnavailable extends taggedError<ServiceUnavailable>()("ServiceUnavailable", {
  service: knownText,
  reason: knownText
}, { retryable: true }) {}

/** The supervisor has paused the agent. */
export class SessionPaused extends taggedError<SessionPaused>()("SessionPaused", {}) {}

/** The output of an invocation that succeeded does not fit its schema; `raw` is what came. */
export class OutputMismatch extends taggedError<OutputMismatch>()("OutputMismatch", {
  raw: Schema.optional(Schema.Unknown)
}) {}

/** Somebody else wrote a newer version in between. */
export class VersionConflict extends taggedError<VersionConflict>()("VersionConflict", {
  resource: knownText,
  expectedVersion: knownNumber,
  actualVersion: knownNumber
}, { retryable: true }) {}

/**
 * An update of the shared state was tried `attempts` times, and each time somebody else had written the key in between. Nothing was
 * written. The versions are those of the last VersionConflict, which is the `cause`.
 */
export class UpdateExhausted extends taggedError<UpdateExhausted>()("UpdateExhausted", {
  key: knownText,
  attempts: knownNumber,
  expectedVersion: knownNumber,
  actualVersion: knownNumber
}, { retryable: true }) {}

/** One of the gateway's own parts failed; `reason` is the error type on the wire, such as `SessionError`. */
export class CapabilityUnavailable extends taggedError<CapabilityUnavailable>()("CapabilityUnavailable", {
  reason: Schema.String
}) {}

/** There is no capability of this name, or the policy hides it; `requested` is the name that was asked for. */
export class CapabilityNotFound
  extends taggedError<CapabilityNotFound>()("CapabilityNotFound", { requested: knownText })
{}

/** A protected service refuses so many writes in a time; a human can allow them. */
export class BatchProtection extends taggedError<BatchProtection>()("BatchProtection", {
  operation: knownText,
  count: knownNumber,
  threshold: knownNumber
}) {}

/** An error type that this version of the package does not know, such as a pack's; `type` is its wire type. */
export class CapabilityError extends taggedError<CapabilityError>()("CapabilityError", {}) {}

/** What every capability can fail with, besides its own errors and those of the connection. */
export const GeneralError = Schema.Union(
  PolicyDenied,
  ApprovalRequired,
  ApprovalRejected,
  ApprovalExpired,
  ApprovalTimeout,
  NotReversible,
  TransactionClosed,
  InvalidInput,
  PermissionDenied,
  ResourceExhausted,
  RateLimited,
  ServiceUnavailable,
  SessionPaused,
  OutputMismatch,
  CapabilityError
)
export type GeneralError = typeof GeneralError.Type
