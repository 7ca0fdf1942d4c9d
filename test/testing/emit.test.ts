import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { Capabilities } from "../../src/services/Capabilities.js"
import { State } from "../../src/services/State.js"
import { Transaction } from "../../src/services/Transaction.js"
import { MockGateway } from "../../src/testing/MockGateway.js"

const layer = MockGateway.layer({ state: { shared: { counter: 1 } } })

describe("emit", () => {
  it.effect("a message, which is in the inbox then", () =>
    Effect.gen(function*() {
      const { emit } = yield* MockGateway
      const capabilities = yield* Capabilities
      yield* TestClock.adjust("1 hour")
      yield* emit({ _tag: "Message", from: "planner", message: "hello" })
      yield* emit({ _tag: "Message", from: "planner", message: "now", priority: "high", channel: "news" })
      const { messages, remaining } = yield* capabilities.invoke("comms.receive")
      expect(remaining).toBe(0)
      expect(messages.map(({ channel, from, message, priority }) => [channel, from, message, priority])).toEqual([
        ["news", "planner", "now", "high"],
        [null, "planner", "hello", "normal"]
      ])
    }).pipe(Effect.provide(layer)))

  it.effect("a write of shared state, which makes versions conflict", () =>
    Effect.gen(function*() {
      const { emit, state: stateNow } = yield* MockGateway
      const state = yield* State
      yield* emit({ _tag: "SharedStateSet", key: "counter", value: 10, by: "planner" })
      expect(yield* Effect.flip(state.shared.set("counter", 2, { expectedVersion: 1 }))).toMatchObject({
        _tag: "VersionConflict",
        actualVersion: 2
      })
      yield* emit({ _tag: "SharedStateSet", key: "new", value: "here", by: "planner" })
      expect(Option.getOrThrow(yield* state.shared.get("new"))).toMatchObject({ version: 1, ownerAgent: "planner" })
      yield* emit({ _tag: "SharedStateDeleted", key: "counter" })
      expect((yield* stateNow).shared).toEqual({ new: "here" })
      yield* emit({ _tag: "SharedStateSet", key: "counter", value: 11 })
      expect(Option.getOrThrow(yield* state.shared.get("counter"))).toMatchObject({ value: 11 })
    }).pipe(Effect.provide(layer)))

  it.effect("a write in the middle of an update, which is done again", () =>
    Effect.gen(function*() {
      const { emit } = yield* MockGateway
      const state = yield* State
      let attempts = 0
      const fiber = yield* Effect.fork(state.shared.updateEffect("counter", Schema.Number, (count) =>
        Effect.as(
          attempts++ === 0 ? emit({ _tag: "SharedStateSet", key: "counter", value: 100 }) : Effect.void,
          count + 1
        )))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      expect(Option.getOrThrow(yield* state.shared.get("counter"))).toMatchObject({ value: 101, version: 3 })
      expect(attempts).toBe(2)
    }).pipe(Effect.provide(layer)))

  it.effect("a write while a transaction is open, which makes its commit fail", () =>
    Effect.gen(function*() {
      const { emit, state: stateNow } = yield* MockGateway
      const state = yield* State
      const error = yield* Effect.flip(Transaction.run(Effect.gen(function*() {
        yield* state.shared.set("counter", 2, { expectedVersion: 1 })
        yield* emit({ _tag: "SharedStateSet", key: "counter", value: 50 })
      })))
      expect(error._tag).toBe("VersionConflict")
      expect((yield* stateNow).shared).toEqual({ counter: 50 })
    }).pipe(Effect.provide(layer)))

  it.effect("a write by a script within a transaction is not the transaction's", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const capabilities = yield* Capabilities
      yield* mock.expect("state.shared.list", {}, () =>
        Effect.as(
          Effect.orDie(mock.emit({ _tag: "SharedStateSet", key: "other", value: 1 })),
          { entries: [], count: 0, total_size_bytes: 0 }
        ))
      yield* Effect.ignore(
        Transaction.run(Effect.zipRight(capabilities.invoke("state.shared.list"), Effect.fail("oh")))
      )
      expect((yield* mock.state).shared).toEqual({ counter: 1, other: 1 })
      yield* mock.verify
    }).pipe(Effect.provide(layer)))

  it.effect("changes, which a watch is told", () =>
    Effect.gen(function*() {
      const { emit } = yield* MockGateway
      const state = yield* State
      const fiber = yield* Effect.fork(
        Stream.runCollect(Stream.take(state.shared.changes("jobs/", Schema.Number, { current: true }), 3))
      )
      yield* TestClock.adjust("1 second")
      yield* emit({ _tag: "SharedStateSet", key: "other", value: 0 })
      yield* emit({ _tag: "SharedStateSet", key: "jobs/1", value: 1 })
      yield* TestClock.adjust("1 second")
      yield* emit({ _tag: "SharedStateDeleted", key: "jobs/1" })
      yield* TestClock.adjust("1 second")
      expect(Chunk.toReadonlyArray(yield* Fiber.join(fiber))).toMatchObject([
        { _tag: "Resynced" },
        { _tag: "Changed", key: "jobs/1", deleted: false, value: Option.some(1) },
        { _tag: "Changed", key: "jobs/1", deleted: true, value: Option.none() }
      ])
    }).pipe(Effect.provide(layer)))

  it.effect("a notification of any kind", () =>
    Effect.gen(function*() {
      const { emit, invocations } = yield* MockGateway
      const state = yield* State
      const error = yield* Effect.flip(Transaction.run(Effect.gen(function*() {
        yield* state.shared.list()
        const [{ transactionId } = { transactionId: undefined }] = yield* invocations
        yield* emit({
          _tag: "Notification",
          method: "notifications/kruxos/transaction_ended",
          params: { transaction_id: transactionId, reason: "timeout" }
        })
        yield* Effect.never
      })))
      expect(error._tag).toBe("TransactionTimeout")
    }).pipe(Effect.provide(layer)))

  it.effect("what does not fit is refused", () =>
    Effect.gen(function*() {
      const { emit } = yield* MockGateway
      const tags = yield* Effect.forEach(
        [
          emit({ _tag: "SharedStateSet", key: "", value: 1 }),
          emit({ _tag: "SharedStateSet", key: "key", value: undefined }),
          emit({ _tag: "SharedStateDeleted", key: "missing" })
        ],
        (emitted) => Effect.map(Effect.flip(emitted), ({ _tag }) => _tag)
      )
      expect(tags).toEqual(["InvalidInput", "InvalidInput", "KeyNotFound"])
    }).pipe(Effect.provide(layer)))

  it.effect("goes to the gateway that there is after a restart", () =>
    Effect.gen(function*() {
      const { emit, restart, state } = yield* MockGateway
      yield* restart
      yield* emit({ _tag: "SharedStateSet", key: "counter", value: 2 })
      expect((yield* state).shared).toEqual({ counter: 2 })
    }).pipe(Effect.provide(layer)))
})
