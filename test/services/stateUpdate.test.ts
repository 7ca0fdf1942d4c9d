import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { UpdateExhausted, VersionConflict } from "kruxos"
import { settled } from "../support/scriptedGateway.js"
import { argumentsOf, stateGateway, stateOf } from "./stateSupport.js"

const Counter = Schema.Number

/** Runs an effect to its end, however long its waits are. */
const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(effect)
    for (let seconds = 0; seconds < 60; seconds++) {
      yield* settled
      yield* TestClock.adjust("1 second")
    }
    return yield* Fiber.join(fiber)
  })

/** A gateway at which somebody else writes before each of the first writes. */
const contended = (times: number) => {
  let left = times
  const gateway = stateGateway({
    instead: (capability) => {
      if (capability === "state.shared.set" && left > 0) {
        left--
        gateway.write("counter", 100 - left)
      }
      return false
    }
  })
  return gateway
}

describe("update", () => {
  it.scoped("makes a new value of the one that is there", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      gateway.write("counter", 41)
      const { shared } = yield* stateOf(gateway)
      const written = yield* shared.update("counter", Counter, (n) => n + 1)
      assert.deepStrictEqual(written, { key: "counter", value: 42, version: 2 })
      assert.strictEqual(gateway.value("counter"), 42)
    }))

  it.scoped("begins with the initial value, or says that the key is not there", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      const { shared } = yield* stateOf(gateway)
      const error = yield* Effect.flip(shared.update("counter", Counter, (n) => n + 1))
      assert.deepInclude(error, { _tag: "KeyNotFound", key: "counter", capability: "state.shared.get" })
      assert.deepStrictEqual(gateway.invoked("state.shared.set"), [])
      yield* shared.update("counter", Counter, (n) => n + 1, { initial: 0 })
      yield* shared.update("counter", Counter, (n) => n + 1, { initial: 0 })
      assert.strictEqual(gateway.value("counter"), 2)
      gateway.remove("counter")
      yield* shared.update("counter", Counter, (n) => n + 1, { initial: 10 })
      assert.strictEqual(gateway.value("counter"), 11)
    }))

  it.scoped("reads again what somebody else has written in between", () =>
    Effect.gen(function*() {
      const gateway = contended(3)
      gateway.write("counter", 1)
      const { shared } = yield* stateOf(gateway)
      const seen: Array<number> = []
      const written = yield* inTime(shared.update("counter", Counter, (n) => {
        seen.push(n)
        return n + 1
      }))
      assert.deepStrictEqual(seen, [1, 98, 99, 100])
      assert.strictEqual(written.value, 101)
    }))

  it.scoped("creates a key that somebody else creates at the same time only once", () =>
    Effect.gen(function*() {
      const gateway = contended(1)
      const { shared } = yield* stateOf(gateway)
      const written = yield* inTime(shared.update("counter", Counter, (n) => n + 1, { initial: 0 }))
      assert.deepStrictEqual(written, { key: "counter", value: 101, version: 2 })
    }))

  it.scoped("gives up after so many times, and says what it met last", () =>
    Effect.gen(function*() {
      const gateway = contended(10)
      gateway.write("counter", 1)
      const { shared } = yield* stateOf(gateway)
      const error = yield* Effect.flip(inTime(shared.update("counter", Counter, (n) => n + 1, { times: 4 })))
      assert.instanceOf(error, UpdateExhausted)
      assert.deepInclude(error, {
        _tag: "UpdateExhausted",
        key: "counter",
        attempts: 5,
        expectedVersion: 5,
        actualVersion: 6,
        retryable: true
      })
      assert.instanceOf(error.cause, VersionConflict)
      assert.strictEqual(gateway.invoked("state.shared.set").length, 5)
    }))

  it.scoped("is tried once where it is told to", () =>
    Effect.gen(function*() {
      const gateway = contended(1)
      gateway.write("counter", 1)
      const { shared } = yield* stateOf(gateway)
      const error = yield* Effect.flip(shared.update("counter", Counter, (n) => n + 1, { times: 0 }))
      assert.deepInclude(error, { _tag: "UpdateExhausted", attempts: 1 })
    }))

  it.scoped("ends within seconds by default, whatever happens", () =>
    Effect.gen(function*() {
      const gateway = contended(1000)
      gateway.write("counter", 1)
      const { shared } = yield* stateOf(gateway)
      const error = yield* Effect.flip(inTime(shared.update("counter", Counter, (n) => n + 1)))
      assert.deepInclude(error, { _tag: "UpdateExhausted", attempts: 51 })
    }))

  it.scoped("keeps what the schema does not know", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      gateway.write("settings", { limit: 1, added_later: ["x"] })
      const { shared } = yield* stateOf(gateway)
      yield* shared.update("settings", Schema.Struct({ limit: Schema.Number }), (settings) => ({
        ...settings,
        limit: 2
      }))
      assert.deepStrictEqual(gateway.value("settings"), { limit: 2, added_later: ["x"] })
    }))

  it.scoped("refuses what the function makes, if it is not JSON", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      gateway.write("counter", 1)
      const { shared } = yield* stateOf(gateway)
      const error = yield* Effect.flip(shared.update("counter", Counter, () => NaN))
      assert.deepInclude(error, { _tag: "InvalidInput", field: "$" })
      assert.deepStrictEqual(gateway.invoked("state.shared.set"), [])
    }))
})

describe("updateEffect", () => {
  it.scoped("runs the effect again for each attempt", () =>
    Effect.gen(function*() {
      const gateway = contended(2)
      gateway.write("counter", 1)
      const { shared } = yield* stateOf(gateway)
      const seen: Array<number> = []
      yield* inTime(shared.updateEffect("counter", Counter, (n) =>
        Effect.sync(() => {
          seen.push(n)
          return n * 2
        })))
      assert.deepStrictEqual(seen, [1, 99, 100])
      assert.deepStrictEqual(gateway.value("counter"), 200)
    }))

  it.scoped("writes nothing where the effect fails, also with a conflict of its own", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      gateway.write("counter", 1)
      const { shared } = yield* stateOf(gateway)
      const own = new VersionConflict({ message: "of something else" })
      const error = yield* Effect.flip(shared.updateEffect("counter", Counter, () => Effect.fail(own)))
      assert.strictEqual(error, own)
      assert.strictEqual(gateway.invoked("state.shared.get").length, 1)
      assert.deepStrictEqual(gateway.invoked("state.shared.set").map(argumentsOf), [])
    }))
})
