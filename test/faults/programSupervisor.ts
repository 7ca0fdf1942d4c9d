import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { GatewayProcess } from "../support/gatewayProcess.js"
import { at, listAt } from "../support/json.js"
import { asSupervisor } from "../support/supervisor.js"
import type { ProgramSchedule } from "./programSchedule.js"

const pendingOf = (gateway: GatewayProcess) =>
  Effect.map(asSupervisor(gateway, "/approvals?status=pending&limit=1000"), ({ body }) => listAt(body, "approvals"))

// A gateway that is away, or is killed while it answers, is asked again.
const again = <A>(self: Effect.Effect<A>): Effect.Effect<A> =>
  Effect.retry(Effect.sandbox(self), Schedule.spaced("50 millis")).pipe(Effect.orDie)

/** What a gateway knows of the requests of an agent, for the message of a failure. */
export const requestsOf = (gateway: GatewayProcess, agent: string): Effect.Effect<string> =>
  asSupervisor(gateway, "/approvals?limit=1000").pipe(
    Effect.map(({ body }) => JSON.stringify(listAt(body, "approvals").filter((item) => at(item, "agent") === agent))),
    Effect.catchAllCause(() => Effect.succeed("the gateway does not say"))
  )

/** Lets a gateway do all that its agents ask for, each after as long as its schedule says, until the scope closes. */
export const approving = (
  gateway: GatewayProcess,
  scheduleOf: (agent: string) => ProgramSchedule | undefined
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const seen = new Set<string>()
    const look = Effect.gen(function*() {
      for (const request of yield* again(pendingOf(gateway))) {
        const id = String(at(request, "id"))
        const schedule = scheduleOf(String(at(request, "agent")))
        if (schedule === undefined || seen.has(id)) continue
        seen.add(id)
        const isDeletion = at(request, "capability") === "filesystem.delete"
        // What was decided, expired or withdrawn meanwhile is refused, and the same when it is asked again.
        yield* asSupervisor(gateway, `/approvals/${id}/approve`, { method: "POST" }).pipe(
          Effect.filterOrDieMessage(({ status }) => status < 500, "It could not be decided yet"),
          again,
          Effect.delay(isDeletion ? schedule.deleting : schedule.publishing),
          Effect.forkScoped
        )
      }
    })
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced("100 millis")))
  })
