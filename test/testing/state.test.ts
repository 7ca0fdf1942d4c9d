import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { State } from "../../src/services/State.js"
import { Transaction } from "../../src/services/Transaction.js"
import { MockGateway } from "../../src/testing/MockGateway.js"

const initial = {
  persistent: { mode: "careful", list: [1, 2] },
  shared: { counter: 7, "config/a": { deep: true } }
}

const layer = MockGateway.layer({ state: initial })

describe("the state", () => {
  it.effect("is there from the start, each key with version 1", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const state = yield* State
      expect(yield* mock.state).toEqual({ session: {}, ...initial })
      expect(Option.getOrThrow(yield* state.persistent.get("mode"))).toMatchObject({ value: "careful", version: 1 })
      expect((yield* state.shared.list()).map(({ key, version }) => [key, version])).toEqual([
        ["config/a", 1],
        ["counter", 1]
      ])
      expect((yield* state.shared.set("counter", 8, { expectedVersion: 1 })).version).toBe(2)
      expect(yield* mock.invocations).toHaveLength(3)
    }).pipe(Effect.provide(layer)))

  it.effect("is what the program has written", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const state = yield* State
      yield* state.session.set("draft", { text: "…" })
      yield* state.persistent.delete("mode")
      yield* state.persistent.set("list", [])
      yield* state.shared.delete("counter")
      yield* state.shared.set("new", null, { expectedVersion: 0 })
      expect(yield* mock.state).toEqual({
        session: { draft: { text: "…" } },
        persistent: { list: [] },
        shared: { "config/a": { deep: true }, new: null }
      })
    }).pipe(Effect.provide(layer)))

  it.effect("is what is committed", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const state = yield* State
      yield* Transaction.run(Effect.gen(function*() {
        yield* state.shared.set("counter", 8, { expectedVersion: 1 })
        yield* state.persistent.set("mode", "bold")
        expect(yield* mock.state).toEqual({ session: {}, ...initial })
      }))
      expect(yield* mock.state).toMatchObject({ persistent: { mode: "bold" }, shared: { counter: 8 } })
    }).pipe(Effect.provide(layer)))

  it.effect("outlives the gateway, but for that of its sessions", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const state = yield* State
      yield* state.session.set("draft", 1)
      yield* state.shared.set("counter", 8, { expectedVersion: 1 })
      yield* mock.restart
      expect(yield* mock.state).toEqual({
        session: {},
        persistent: initial.persistent,
        shared: { ...initial.shared, counter: 8 }
      })
    }).pipe(Effect.provide(layer)))

  it.effect("is that of the agent by its name", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const state = yield* State
      expect(yield* state.persistent.set("list", 2)).toEqual({ version: 2, previousVersion: 1 })
      expect((yield* mock.state).persistent).toEqual({ mode: "careful", list: 2 })
    }).pipe(Effect.provide(MockGateway.layer({ state: initial, agent: "other" }))))

  it.effect("that no gateway would take is a mistake in the test", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Effect.provide(MockGateway, MockGateway.layer({ state: { shared: { "": 1 } } }))
      )
      expect(Exit.isFailure(exit) && exit.cause).toMatchObject({ _tag: "Die", defect: { field: "key" } })
    }))
})
