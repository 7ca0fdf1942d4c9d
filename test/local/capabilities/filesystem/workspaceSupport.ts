import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Invocation } from "../../../../src/local/capabilities/Handler.js"
import { measure } from "../../../../src/local/sessions/usage.js"
import type { Agent } from "../../../../src/local/store/Agents.js"
import * as Store from "../../../../src/local/store/Store.js"
import { fixture } from "../../workspace/support.js"

const agentNamed = (name: string): Agent => ({
  name,
  purpose: "",
  policyGroup: "default",
  workspace: Option.none(),
  status: "active",
  keyGeneration: 1,
  createdAt: DateTime.unsafeMake(0)
})

/** A workspace next to a secret, and what a handler is given there, for one agent and for another. */
export const invocationFixture = Effect.gen(function*() {
  const made = yield* fixture()
  const invocationBy = (agent: string): Invocation => ({
    agent: agentNamed(agent),
    connectedAt: DateTime.unsafeMake(0),
    invocations: () => 0,
    usage: measure(),
    sessionId: "session",
    workspace: made.workspace,
    sessionScope: made.scope
  })
  return { ...made, invocation: invocationBy("one"), byAnother: invocationBy("another") }
})

/** The store, in memory. */
export const store = Store.layer({ filename: ":memory:" })
