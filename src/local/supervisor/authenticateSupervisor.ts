import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { IncomingHttpHeaders } from "node:http"
import { keyOf } from "../protocol/authenticate.js"
import { storeUnavailable } from "../store/agentFailure.js"
import { Agents } from "../store/Agents.js"
import { Supervisors } from "../store/Supervisors.js"

/** A request carries no supervisor's token: none at all, one that nobody has, or an agent's key. */
export class NotASupervisor extends Data.TaggedError("NotASupervisor")<{
  readonly carries: "nothing" | "no-token" | "agents-key"
}> {
  override get message() {
    switch (this.carries) {
      case "nothing":
        return "A supervisor's token is needed: send it as `Authorization: Bearer TOKEN`"
      case "no-token":
        return "This token opens nothing here: a supervisor's is in the file supervisor.token of the gateway's data"
      case "agents-key":
        return "This is an agent's key, and agents decide nothing: a supervisor's token is needed"
    }
  }
}

/** Makes what says whose token a request carries, in its Authorization header. */
export const make = Effect.gen(function*() {
  const agents = yield* Agents
  const supervisors = yield* Supervisors

  const refused = (key: Redacted.Redacted<string>) =>
    agents.authenticate(key).pipe(
      Effect.as(true),
      Effect.catchTags({ AgentRevoked: () => Effect.succeed(true), InvalidCredentials: () => Effect.succeed(false) }),
      Effect.flatMap((isAgents) => new NotASupervisor({ carries: isAgents ? "agents-key" : "no-token" }))
    )

  return (headers: IncomingHttpHeaders) =>
    Effect.gen(function*() {
      const given = keyOf(headers, undefined)
      if (given === undefined) return yield* new NotASupervisor({ carries: "nothing" })
      const token = Redacted.make(given)
      return yield* Effect.catchTag(supervisors.authenticate(token), "InvalidCredentials", () => refused(token))
    }).pipe(Effect.catchTag("SqlError", (cause) => Effect.fail(storeUnavailable(cause))))
})
