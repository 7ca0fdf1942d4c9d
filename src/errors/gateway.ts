import * as Schema from "effect/Schema"
import { knownText, taggedError } from "./base.js"

/** The gateway could not be reached, or the connection ended before the answer and the call was never sent. */
export class ConnectionFailed extends taggedError<ConnectionFailed>()("ConnectionFailed", { url: knownText }, {
  retryable: true
}) {}

/** The gateway refused the key: wrong, revoked, or missing. */
export class AuthenticationFailed extends taggedError<AuthenticationFailed>()("AuthenticationFailed", {
  url: knownText
}) {}

/** The session is over; what lived in it (session state, watches) is gone. */
export class SessionExpired extends taggedError<SessionExpired>()("SessionExpired", { sessionId: knownText }) {}

/** No answer came within the call's deadline, and the call is one that may be repeated. */
export class GatewayTimeout extends taggedError<GatewayTimeout>()("GatewayTimeout", {
  operation: knownText,
  timeout: Schema.optional(Schema.DurationFromMillis)
}, { retryable: true }) {}

/**
 * The call was sent and its answer was lost, so that it may or may not have taken effect; it is not one that can be
 * repeated safely. `idempotencyKey` is the key to ask the gateway with, where it keeps a record.
 */
export class OutcomeUnknown extends taggedError<OutcomeUnknown>()("OutcomeUnknown", { idempotencyKey: knownText }) {}

/** The gateway said something that its protocol does not allow, or refused a message of ours as malformed. */
export class ProtocolError extends taggedError<ProtocolError>()("ProtocolError", {
  code: Schema.optional(Schema.Number)
}) {}

/** What the connection itself can fail with, whatever the call. */
export const GatewayError = Schema.Union(
  ConnectionFailed,
  AuthenticationFailed,
  SessionExpired,
  GatewayTimeout,
  OutcomeUnknown,
  ProtocolError
)
export type GatewayError = typeof GatewayError.Type
