import { knownText, taggedError } from "./base.js"

/** The message is known, but its body is not in the cache and the mail service did not give it. */
export class BodyFetchFailed extends taggedError<BodyFetchFailed>()("BodyFetchFailed", { messageId: knownText }, {
  retryable: true
}) {}

/** The operation is never carried out, whoever approves it; `operation` is its name. */
export class OperationBlocked extends taggedError<OperationBlocked>()("OperationBlocked", { operation: knownText }) {}
