import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { HealthCheck } from "../../capabilities/system/healthCheck.js"
import { Workspaces } from "../../sessions/Workspaces.js"
import * as Answers from "../answers.js"
import * as Query from "../query.js"
import { readable } from "../readable.js"

/** Answers `/api/health`: how the gateway is, with the workspace that agents share. */
export const make = Effect.gen(function*() {
  const health = yield* HealthCheck
  const { shared } = yield* Workspaces

  const check = Effect.gen(function*() {
    const { components, resourceUsage, status } = yield* health.check(shared.root)
    return Answers.json({
      status,
      components: components.map(({ message, name, status }) => ({ name, status, message })),
      resource_usage: resourceUsage,
      checked_at: DateTime.formatIso(yield* DateTime.now)
    })
  }).pipe(
    Effect.catchTag(
      "MachineUnreadable",
      () => Effect.succeed(Answers.unavailable({ message: "The figures of the machine cannot be read" }))
    )
  )

  return readable((query) => Effect.zipRight(Query.none(query), check))
})
