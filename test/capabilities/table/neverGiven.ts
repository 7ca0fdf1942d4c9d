import type { NeverGiven } from "./gaps.js"

const session =
  "what agent.* tells is in the session that the call came with; one without a session is refused before it reaches a capability"

const missing = "a missing key is answered with found=false, as the reference documents besides"

/** The errors of the catalogue that the local gateway has no cause to give; clients decode them all the same. */
export const neverGiven: NeverGiven = {
  "agent.whoami": { SessionError: session },
  "agent.capabilities": { SessionError: session },
  "agent.session": { SessionError: session },
  "agent.policy": { SessionError: session },
  "state.persistent.get": { KeyNotFound: missing },
  "state.shared.get": { KeyNotFound: missing }
}
