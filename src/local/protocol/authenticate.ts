import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { IncomingHttpHeaders } from "node:http"
import { AuthenticationFailed } from "../../errors/gateway.js"
import { storeUnavailable } from "../store/agentFailure.js"
import { Agents } from "../store/Agents.js"

const bearer = /^Bearer +(\S+) *$/i

/** The key that a request carries: in its Authorization header or, where a URL is given, as its `token`. */
export const keyOf = (headers: IncomingHttpHeaders, url: URL | undefined): string | undefined =>
  bearer.exec(headers.authorization ?? "")?.[1] ?? url?.searchParams.get("token") ?? undefined

const message = "This key opens nothing here: a key is 64 hexadecimal characters, made by `kruxos agent create`"

/**
 * The agent whose key a request carries: in its Authorization header or, where a URL is given, as its `token`.
 */
export const authenticate = (headers: IncomingHttpHeaders, url?: URL) =>
  Effect.gen(function*() {
    const agents = yield* Agents
    const key = keyOf(headers, url)
    if (key === undefined) {
      return yield* new AuthenticationFailed({
        type: "NotAuthenticated",
        message: "A key is needed: send it as `Authorization: Bearer KEY`"
      })
    }
    return yield* agents.authenticate(Redacted.make(key)).pipe(
      Effect.catchTags({
        InvalidCredentials: () => new AuthenticationFailed({ type: "auth.invalid_credentials", message }),
        AgentRevoked: () =>
          new AuthenticationFailed({ type: "auth.agent_revoked", message: "The agent of this key has been revoked" }),
        SqlError: (cause) => Effect.fail(storeUnavailable(cause))
      })
    )
  })
