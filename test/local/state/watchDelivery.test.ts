import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { makeDelivery } from "../../../src/local/state/watchDelivery.js"
import { at } from "../../support/json.js"
import { settle } from "../capabilities/state/support.js"

const change = (version: number) => ({ key: "key", version, owner: "owner", deleted: false, number: version })

describe("the delivery of what is watched", () => {
  it.scoped("tells once how much was lost, also when the store lets two deliveries wait", () =>
    Effect.gen(function*() {
      const told: Array<unknown> = []
      const store = yield* Effect.makeLatch(true)
      let room = 0
      const { flush, makeFor } = yield* makeDelivery({
        deliver: () => Effect.dieMessage("not used"),
        receive: () => Effect.dieMessage("not used"),
        hasKept: () => Effect.dieMessage("not used"),
        putBack: () => Effect.dieMessage("not used"),
        forget: () => Effect.dieMessage("not used"),
        put: () => {},
        tell: () => {},
        isListening: () => false,
        maximumUnread: 10_000,
        count: () => Effect.dieMessage("not used"),
        listen: () => Effect.void,
        deliverAll: ({ messages }) =>
          Effect.map(store.await, () => {
            const fitting = messages.slice(0, room)
            room -= fitting.length
            for (const message of fitting) told.push(JSON.parse(message))
            return fitting.length
          })
      })
      const { add } = makeFor("agent", "subscription")
      for (let version = 1; version <= 5; version++) add(change(version))
      yield* settle
      room = 100
      yield* store.close
      const flushing = yield* Effect.fork(flush)
      yield* settle
      add(change(6))
      yield* settle
      yield* store.open
      yield* Fiber.join(flushing)
      yield* settle
      yield* flush
      assert.deepStrictEqual(told.map((message) => at(message, "dropped") ?? at(message, "version")), [5, 6])
    }))
})
