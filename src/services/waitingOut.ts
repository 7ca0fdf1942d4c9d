import * as Duration from "effect/Duration"
import type { KruxosError } from "../errors/KruxosError.js"
import { RpcCode } from "../errors/wire.js"

/** How long a gateway that cannot be asked is waited for, by what waits for news. */
export const longestSilence = Duration.hours(24)

/** The longest rest between two questions, whatever the gateway proposes. */
export const longestRest = Duration.minutes(1)

/** Whether a failure to ask for news passes by itself, or when a human lets it: it says nothing of what is waited for. */
export const isTransient = (error: KruxosError): boolean => {
  switch (error._tag) {
    case "ConnectionFailed":
      return error.retryable
    case "ProtocolError":
      return error.code === RpcCode.internalError
    case "GatewayTimeout":
    case "OutcomeUnknown":
    case "SessionExpired":
    case "RateLimited":
    case "ServiceUnavailable":
    case "SessionPaused":
      return true
    default:
      return false
  }
}
