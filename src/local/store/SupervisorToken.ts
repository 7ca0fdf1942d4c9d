import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"

/** A new token: `krx_user_` and 32 random bytes as base64url. */
export const generate = (): Redacted.Redacted<string> =>
  Redacted.make(`krx_user_${randomBytes(32).toString("base64url")}`)

/** Whether a token has the form of one. */
export const isWellFormed = (token: Redacted.Redacted<string>): boolean =>
  /^krx_user_[A-Za-z0-9_-]{43}$/.test(Redacted.value(token))
