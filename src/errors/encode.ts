import * as Duration from "effect/Duration"
import type { KruxosError } from "./KruxosError.js"
import { toContext } from "./ownFields.js"

/** An error as this project's gateway writes it: every spelling that a client of KruxOS reads. */
export interface WireError {
  readonly type: string
  readonly message: string
  readonly recovery: ReadonlyArray<{
    readonly action: string
    readonly description: string
    readonly capability: string | null
    readonly inputs: { readonly [key: string]: unknown } | null
  }>
  readonly retryable: boolean
  readonly retry_after: number | null
  readonly context: { readonly [key: string]: unknown }
}

const wireTypes: { readonly [tag: string]: string } = {
  ApprovalRequired: "ApprovalPending",
  GatewayTimeout: "Timeout",
  AuthenticationFailed: "NotAuthenticated",
  // Plain `ConnectionFailed` is what a capability that checks ports reports.
  ConnectionFailed: "gateway.connection_failed"
}

const wireTypeOf = (error: KruxosError): string => {
  if (error.type !== error._tag) return error.type
  return error._tag === "CapabilityUnavailable" ? error.reason : wireTypes[error._tag] ?? error.type
}

/**
 * Writes an error for the wire: its own fields become context under their wire names. The cause stays here.
 */
export const encodeFailure = (error: KruxosError, recovery: KruxosError["recovery"] = error.recovery): WireError => {
  const retryAfter = error.retryAfter === undefined ? null : Duration.toSeconds(error.retryAfter)
  return {
    type: wireTypeOf(error),
    message: error.message,
    recovery: recovery.map(({ action, capability, description, inputs }) => ({
      action,
      description,
      capability: capability ?? null,
      inputs: inputs ?? null
    })),
    retryable: error.retryable,
    retry_after: retryAfter,
    context: {
      ...error.context,
      ...toContext(error),
      ...(error._tag === "ApprovalRequired"
        ? { request_id: error.approvalId, ...(error.capability === undefined ? {} : { capability: error.capability }) }
        : {}),
      ...(error._tag === "RateLimited" && retryAfter !== null ? { retry_after_seconds: retryAfter } : {})
    }
  }
}
