import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { State } from "../../src/services/State.js"
import { MockGateway } from "../../src/testing/MockGateway.js"

describe("a test that lets a day pass", () => {
  it.effect("does not wake a gateway that has nothing to do", () =>
    Effect.gen(function*() {
      // Past what has not been waited for to its end.
      yield* TestClock.adjust("10 minutes")
      const now = yield* Clock.currentTimeMillis
      const due = Array.from(yield* TestClock.sleeps()).filter((at) => at - now < Duration.toMillis("23 hours"))
      expect(due).toEqual([])
    }).pipe(Effect.provide(MockGateway.layer())))

  it.effect("is told of changes, and asks for none meanwhile", () =>
    Effect.gen(function*() {
      const { dropConnection, emit, invocations } = yield* MockGateway
      const { shared } = yield* State
      const watching = yield* Effect.fork(Stream.runCollect(Stream.take(shared.changes("plan"), 2)))
      yield* TestClock.adjust("1 second")
      const before = (yield* invocations).length
      yield* TestClock.adjust("1 day")
      expect((yield* invocations).length).toBe(before)
      yield* emit({ _tag: "SharedStateSet", key: "plan", value: 1 })
      yield* TestClock.adjust("1 second")
      // What is not pushed because of this is found afterwards.
      yield* dropConnection
      yield* emit({ _tag: "SharedStateSet", key: "plan", value: 2 })
      yield* TestClock.adjust("5 seconds")
      const told = Array.from(yield* Fiber.join(watching))
      expect(told).toMatchObject([{ _tag: "Changed", version: 1 }, { _tag: "Changed", version: 2 }])
    }).pipe(Effect.provide(MockGateway.layer())))
})
