import * as Command from "@effect/cli/Command"
import * as Effect from "effect/Effect"
import { failed } from "./exit.js"
import { json } from "./options.js"
import { print } from "./print.js"
import { complaint, page } from "./status/page.js"
import { AgentsView, HealthView, StatusView } from "./status/views.js"
import { find, get, whichGateway } from "./supervisor/client.js"
import { prettyJson } from "./text.js"

/** `kruxos status` */
export const status = Command.make(
  "status",
  { ...whichGateway, json: json("Print what the gateway says of itself, its health and its agents as JSON.") },
  ({ json, ...which }) =>
    Effect.gen(function*() {
      const target = yield* find(which)
      const overview = yield* Effect.all({
        status: get(target, "/status", StatusView),
        health: get(target, "/health", HealthView),
        agents: Effect.map(get(target, "/agents", AgentsView), ({ agents }) => agents)
      }, { concurrency: "unbounded" })
      yield* print(json ? prettyJson(overview) : page(target.api, overview))
      if (overview.health.status !== "healthy") return yield* failed(complaint(overview))
    })
).pipe(
  Command.withDescription(
    "Show how a gateway is and who works with it. Exit code 1 if it is not healthy, or not there."
  )
)
