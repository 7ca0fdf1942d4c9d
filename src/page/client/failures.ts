import * as Data from "effect/Data"

/** The gateway opens nothing to this token. */
export class TokenRefused extends Data.TaggedError("TokenRefused")<{ readonly message: string }> {}

/** The gateway could not be reached, or did not answer in time. */
export class Unreachable extends Data.TaggedError("Unreachable")<{ readonly cause?: unknown }> {
  override get message() {
    return "The gateway cannot be reached"
  }
}

/** The gateway refused what was asked, and says why. */
export class Refused extends Data.TaggedError("Refused")<{ readonly status: number; readonly message: string }> {}

/** The gateway answered something that this page does not understand, such as one of another version. */
export class NotUnderstood
  extends Data.TaggedError("NotUnderstood")<{ readonly path: string; readonly cause: unknown }>
{
  override get message() {
    return `The gateway's answer to ${this.path} is not understood: reload the page if the gateway was updated`
  }
}

/** Why something that was asked of the gateway was not answered. */
export type AskFailure = TokenRefused | Unreachable | Refused | NotUnderstood
