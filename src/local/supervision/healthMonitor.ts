import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { type Component, HealthCheck, type Status } from "../capabilities/system/healthCheck.js"
import { scopedDiscard } from "../inOrder.js"
import { Workspaces } from "../sessions/Workspaces.js"
import { Supervision } from "./Supervision.js"
import type { SupervisionEvent } from "./SupervisionEvent.js"

/** How often the gateway's health is looked at: every 30 seconds, unless a test that moves the clock by hours provides more. */
export class HealthInterval extends Context.Reference<HealthInterval>()("kruxos/local/HealthInterval", {
  defaultValue: () => Duration.seconds(30)
}) {}

const severities = { healthy: "info", degraded: "warning", unhealthy: "critical" } as const

const alert = (timestamp: DateTime.Utc, { message, name, status, threshold }: Component): SupervisionEvent => ({
  type: "health_alert",
  timestamp,
  agent: null,
  data: { component: name, severity: severities[status], message, threshold, status }
})

/** Looks at the gateway's health at every {@link HealthInterval}, and tells supervisors of each component whose status has changed. */
export const layer: Layer.Layer<never, never, HealthCheck | Supervision | Workspaces> = scopedDiscard(
  Effect.gen(function*() {
    const { check } = yield* HealthCheck
    const supervision = yield* Supervision
    const { shared } = yield* Workspaces
    const interval = yield* HealthInterval
    const known = new Map<string, Status>()
    const look = Effect.gen(function*() {
      const { components } = yield* check(shared.root)
      const now = yield* DateTime.now
      for (const component of components) {
        const { name, status } = component
        if ((known.get(name) ?? "healthy") !== status) supervision.tell(alert(now, component))
        known.set(name, status)
      }
    }).pipe(Effect.catchAll((cause) => Effect.logDebug("The gateway's health could not be looked at", cause)))
    yield* Effect.forkScoped(Effect.forever(Effect.delay(look, interval)))
  })
)
