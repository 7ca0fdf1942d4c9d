import * as Data from "effect/Data"
import { recoveryFor } from "../../catalogue/recovery.js"
import { encodeFailure, type WireError } from "../../errors/encode.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import { RpcCode, type RpcError } from "../../errors/wire.js"

/** An answer with a JSON-RPC error. `final` ends the connection after it. */
export class Refusal extends Data.TaggedError("Refusal")<{ readonly error: RpcError; readonly final: boolean }> {}

/** The code of an error that is the session's fault, and none of those that JSON-RPC or KruxOS name. */
const sessionCode = -32004

const codeOf = (type: string): number => {
  switch (type) {
    case "NotAuthenticated":
    case "auth.agent_revoked":
    case "auth.invalid_credentials":
      return RpcCode.authenticationFailed
    case "PolicyDenied":
      return RpcCode.policyDenied
    case "ApprovalPending":
      return RpcCode.approvalRequired
    case "RateLimited":
      return RpcCode.rateLimited
    case "SessionExpired":
      return sessionCode
    case "InvalidInput":
    case "CapabilityNotFound":
      return RpcCode.invalidParams
    default:
      return RpcCode.internalError
  }
}

/** An error object as the error of a JSON-RPC answer. */
export const refuse = (wire: WireError): Refusal => {
  const code = codeOf(wire.type)
  return new Refusal({
    final: code === RpcCode.authenticationFailed,
    error: {
      code,
      message: wire.message,
      data: {
        error_type: wire.type,
        description: wire.message,
        agent_description: wire.message,
        recovery_actions: wire.recovery,
        retryable: wire.retryable,
        retry_after: wire.retry_after,
        context: wire.context
      }
    }
  })
}

/** An error that belongs to no capability, with what can be done about it. */
export const refuseError = (error: KruxosError): Refusal => refuse(encodeFailure(error, recoveryFor(undefined, error)))

/** A JSON-RPC error that is about the message, not about what it asks for. */
export const invalidMessage = (code: number, message: string): Refusal =>
  new Refusal({ final: false, error: { code, message } })
