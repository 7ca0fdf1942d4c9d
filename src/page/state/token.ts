import * as Redacted from "effect/Redacted"
import { kept } from "./kept.js"

const memory = kept("token")

/** The token that a fragment such as `#token=krx_user_…` carries. */
export const tokenOf = (fragment: string): Redacted.Redacted<string> | undefined => {
  if (!fragment.startsWith("#token=")) return undefined
  const token = new URLSearchParams(fragment.slice(1)).get("token")?.trim() ?? ""
  return token === "" ? undefined : Redacted.make(token)
}

/** Takes the token from the address, where it does not stay. */
export const takeToken = (): Redacted.Redacted<string> | undefined => {
  if (!location.hash.startsWith("#token=")) return undefined
  const token = tokenOf(location.hash)
  history.replaceState(null, "", `${location.pathname}#/approvals`)
  return token
}

/** The token that this tab was given before. */
export const rememberedToken = (): Redacted.Redacted<string> | undefined => {
  const token = memory.read()
  return token === undefined ? undefined : Redacted.make(token)
}

/** Keeps a token until the tab is closed, or forgets it. */
export const rememberToken = (token: Redacted.Redacted<string> | undefined): void =>
  memory.write(token === undefined ? undefined : Redacted.value(token))
