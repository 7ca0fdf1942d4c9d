import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import { Drain } from "../protocol/drain.js"
import { requestUrl } from "../protocol/requestUrl.js"
import { nothingHere, refusal, shuttingDown, unavailable } from "./answers.js"
import * as Authenticate from "./authenticateSupervisor.js"
import * as Events from "./events.js"
import type { Answer, Route } from "./Route.js"
import * as Activity from "./routes/activity.js"
import * as Agents from "./routes/agents.js"
import * as Alerts from "./routes/alerts.js"
import * as Approvals from "./routes/approvals.js"
import * as Audit from "./routes/audit.js"
import * as Health from "./routes/health.js"
import * as Status from "./routes/status.js"
import { asksForThis, comesFromHere } from "./sameSite.js"
import * as StateExplorer from "./stateExplorer.js"

const notForWebsites = refusal(403, "This is not for other websites, and the gateway is asked for by its own name only")

const failed = refusal(500, "The gateway failed; its log says how")

/** Whether a path is one of the supervisor's. */
export const isFor = (pathname: string): boolean => pathname === "/api" || pathname.startsWith("/api/")

/** The parts of a path behind `/api`, decoded; none where a part is empty or no text. */
const partsOf = (pathname: string): ReadonlyArray<string> => {
  try {
    const parts = pathname.split("/").slice(2).map(decodeURIComponent)
    return parts.some((part) => part === "" || part.includes("\0")) ? [] : parts
  } catch {
    return []
  }
}

/** What answers for each resource, by its name. */
const makeRoutes = Effect.fnUntraced(function*(about: Status.About) {
  const routes: ReadonlyArray<readonly [resource: string, route: Route]> = [
    ["activity", yield* Activity.make],
    ["agents", yield* Agents.make],
    ["alerts", yield* Alerts.make],
    ["approvals", yield* Approvals.make],
    ["audit", yield* Audit.make],
    ["events", yield* Events.make],
    ["health", yield* Health.make],
    ["state", yield* StateExplorer.make],
    ["status", yield* Status.make(about)]
  ]
  return new Map(routes)
})

/** What the supervisors' part of a gateway is told of it. */
export interface ApiOptions extends Status.About {
  /** Where the gateway listens. */
  readonly host: string
}

/**
 * Makes what answers the requests of supervisors, below `/api`. Only a supervisor's token opens it, and no website. While the gateway
 * drains, all is refused with status 503.
 */
export const make = ({ host, ...about }: ApiOptions) =>
  Effect.gen(function*() {
    const drain = yield* Drain
    const authenticate = yield* Authenticate.make
    const routes = yield* makeRoutes(about)

    /** The answer to a request below `/api`. */
    return (asked: HttpServerRequest.HttpServerRequest): Effect.Effect<Answer> => {
      const request = NodeHttpServerRequest.toIncomingMessage(asked)
      const url = requestUrl(request.url)
      if (url === undefined) return Effect.succeed(nothingHere)
      if (!asksForThis(request, host) || !comesFromHere(request)) return Effect.succeed(notForWebsites)
      return authenticate(request.headers).pipe(
        Effect.flatMap((supervisor) => {
          if (drain.isDraining()) return Effect.succeed(shuttingDown)
          const [resource = "", ...path] = partsOf(url.pathname)
          const route = routes.get(resource)
          if (route === undefined) return Effect.succeed(nothingHere)
          return route({ request, method: request.method ?? "", path, query: url.searchParams, supervisor })
        }),
        Effect.catchTags({
          NotASupervisor: ({ carries, message }) =>
            Effect.succeed(
              carries === "agents-key" ? refusal(403, message) : refusal(401, message, { "www-authenticate": "Bearer" })
            ),
          ServiceUnavailable: (error) => Effect.succeed(unavailable(error))
        }),
        Effect.catchAllCause((cause) => Effect.as(Effect.logError("A supervisor's request failed", cause), failed))
      )
    }
  })
