import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { encodeFailure } from "../../errors/encode.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { Details } from "./facts.js"
import { recordedText } from "./recorded.js"

const longestMessage = 512

/** What somebody said, as the log keeps it. Secrets are masked before it is cut, or half of one would pass. */
export const recordedMessage = (text: string | undefined): string | undefined =>
  text === undefined || text === ""
    ? undefined
    : recordedText(text.slice(0, 8 * longestMessage)).slice(0, longestMessage)

/** How something ended. `error_type` is the error as agents see it, where that is another name. */
export const outcomeOf = (exit: Exit.Exit<unknown, KruxosError>): Details => {
  if (Exit.isSuccess(exit)) return { outcome: "success" }
  const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
  if (failure === undefined) {
    return Cause.isInterrupted(exit.cause) ? { outcome: "interrupted" } : { outcome: "error", error: "defect" }
  }
  const { type } = encodeFailure(failure)
  return {
    outcome: "error",
    error: failure._tag,
    error_type: type === failure._tag ? undefined : type,
    message: recordedMessage(failure.message)
  }
}

/** What the policy said of an invocation that it refused. */
export const whyRefused = (failure: KruxosError | undefined): Details => {
  switch (failure?._tag) {
    case "PolicyDenied":
      return { reason: recordedMessage(failure.reason) }
    case "RateLimited":
      return {
        limit: failure.limit,
        window_seconds: failure.windowSeconds,
        retry_after_seconds: failure.retryAfter === undefined ? undefined : Duration.toSeconds(failure.retryAfter)
      }
    default:
      return {}
  }
}
