import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import type { Registration } from "../../../src/local/capabilities/Handler.js"
import { mostAtATime, mostOfAgent } from "../../../src/local/scheduler/Scheduler.js"
import { at } from "../../support/json.js"
import { type Caller, eventually, type Gateway, settle, withGateway } from "./support.js"

/** `system.time` that takes until it is let go. */
const slowly = () => {
  const gate = Effect.unsafeMakeLatch(false)
  const running = new Map<string, number>()
  let most = 0
  let ended = 0
  const count = () => [...running.values()].reduce((sum, runs) => sum + runs, 0)
  const change = (agent: string, by: 1 | -1) =>
    Effect.sync(() => {
      running.set(agent, (running.get(agent) ?? 0) + by)
      most = Math.max(most, count())
      if (by === -1) ended++
    })
  const registrations = (own: ReadonlyArray<Registration>) =>
    own.map((one): Registration =>
      one.capability.name !== "system.time" ? one : {
        ...one,
        prepare: (input) =>
          Either.map(one.prepare(input), (prepared) => (invocation) =>
            Effect.acquireUseRelease(
              change(invocation.agent.name, 1),
              () => Effect.zipRight(gate.await, prepared(invocation)),
              () => change(invocation.agent.name, -1)
            ))
      }
    )
  return { gate, registrations, count, running, most: () => most, ended: () => ended }
}

const withSlow = <E>(
  use: (gateway: Gateway, slow: ReturnType<typeof slowly>) => Effect.Effect<void, E, Scope.Scope>
) => {
  const slow = slowly()
  return withGateway((gateway) => use(gateway, slow), "allow-all", { registrations: slow.registrations })
}

const delayed = (caller: Caller) => caller.invoke("scheduler.delay", { capability: "system.time", delay_seconds: 0 })

describe("runs at a time", () => {
  it.effect("are four of an agent, and the others wait", () =>
    withSlow((gateway, slow) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        for (let i = 0; i < 10; i++) yield* delayed(one)
        yield* eventually("four runs", Effect.sync(() => slow.count() === mostOfAgent))
        yield* settle
        assert.strictEqual(slow.count(), mostOfAgent)
        // One that has many does not keep others waiting.
        yield* delayed(yield* gateway.as("two"))
        yield* eventually("a run of another", Effect.sync(() => slow.running.get("two") === 1))
        assert.strictEqual(slow.running.get("one"), mostOfAgent)
        yield* slow.gate.open
        yield* eventually("all runs", Effect.sync(() => slow.ended() === 11))
      })
    ))

  it.effect("are sixteen of all agents, and the others wait", () =>
    withSlow((gateway, slow) =>
      Effect.gen(function*() {
        for (let agent = 0; agent < 6; agent++) {
          const caller = yield* gateway.as(`agent-${agent}`)
          for (let i = 0; i < 4; i++) yield* delayed(caller)
        }
        yield* eventually("sixteen runs", Effect.sync(() => slow.count() === mostAtATime))
        yield* settle
        assert.strictEqual(slow.count(), mostAtATime)
        yield* slow.gate.open
        yield* eventually("all runs", Effect.sync(() => slow.ended() === 24))
        assert.strictEqual(slow.most(), mostAtATime)
      })
    ))

  it.effect("end although their job is deleted meanwhile, which does not run again", () =>
    withSlow((gateway, slow) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const made = yield* one.invoke("scheduler.cron_create", { capability: "system.time", schedule: "* * * * *" })
        const cron_id = at(made, "cron_id")
        yield* settle
        yield* TestClock.adjust("1 minute")
        yield* eventually("a run", Effect.sync(() => slow.count() === 1))
        assert.deepStrictEqual(yield* one.invoke("scheduler.cron_delete", { cron_id }), { deleted: true, cron_id })
        yield* slow.gate.open
        yield* eventually("the end", Effect.sync(() => slow.ended() === 1))
        yield* settle
        yield* TestClock.adjust("3 minutes")
        yield* settle
        assert.strictEqual(slow.ended(), 1)
        assert.deepStrictEqual(yield* one.invoke("scheduler.cron_list"), { jobs: [], total: 0 })
        assert.deepStrictEqual(yield* gateway.alerts("one"), [])
      })
    ))
})
