import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { connectionOptions as optionsOf } from "../../src/services/GatewayOptions.js"
import { initialized, make, notified, requests, settled } from "../support/scriptedGateway.js"
import { call, collected, failureOf, linkTo, started } from "./linkSupport.js"

const later = (duration: number) => Effect.zipRight(TestClock.adjust(duration), settled)

const isDone = <A, E>(fiber: Fiber.Fiber<A, E>) => Effect.map(Fiber.poll(fiber), Option.isSome)

/** A link with a grace period of 5 s to a gateway that answers when the test does, and the end of its scope. */
const linked = (gracePeriod = Duration.seconds(5)) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const gateway = make(initialized())
    const link = yield* Scope.extend(linkTo(gateway, { gracePeriod }), scope)
    const server = gateway.connections[0]
    return { gateway, link, server, closing: Effect.tap(Effect.fork(Scope.close(scope, Exit.void)), settled) }
  })

const cancelledIds = (server: Parameters<typeof notified>[0]) =>
  notified(server, "notifications/cancelled").map((params) =>
    typeof params === "object" && params !== null && "requestId" in params ? params.requestId : undefined
  )

describe("the end of a link", () => {
  it.effect("waits for the calls in flight, and refuses new ones", () =>
    Effect.gen(function*() {
      const { closing, gateway, link, server } = yield* linked()
      const status = yield* collected(link.status)
      const calls = [yield* started(call(link)), yield* started(call(link))]
      const closed = yield* closing
      assert.deepInclude(yield* Effect.flip(call(link)), {
        _tag: "ConnectionFailed",
        message: "The connection was closed by its scope",
        retryable: false
      })
      yield* later(4999)
      assert.isFalse(server?.isClosed())
      const [first, second] = requests(server)
      server?.answer(first?.id ?? 0, 1)
      yield* settled
      assert.isFalse(yield* isDone(closed))
      server?.answer(second?.id ?? 0, 2)
      yield* Fiber.join(closed)
      assert.deepStrictEqual(yield* Effect.forEach(calls, Fiber.join), [Either.right(1), Either.right(2)])
      yield* settled
      assert.isTrue(server?.isClosed())
      assert.deepStrictEqual(cancelledIds(server), [])
      assert.strictEqual(requests(server).length, 2)
      assert.strictEqual(gateway.dials(), 1)
      assert.deepStrictEqual(status.seen.map(({ _tag }) => _tag), ["Connected", "Closed"])
    }))

  it.effect("cancels at the gateway what has not finished within the grace period", () =>
    Effect.gen(function*() {
      const { closing, link, server } = yield* linked()
      const [unsafe, safe] = [yield* started(call(link)), yield* started(call(link, { replayable: true }))]
      const ids = requests(server).map(({ id }) => id)
      const closed = yield* closing
      yield* later(4999)
      assert.isFalse(yield* isDone(closed))
      yield* later(1)
      yield* Fiber.join(closed)
      yield* settled
      assert.deepStrictEqual(cancelledIds(server), ids)
      assert.strictEqual(server?.received.at(-1)?._tag, "Notification")
      assert.isTrue(server?.isClosed())
      assert.strictEqual((yield* failureOf(unsafe))._tag, "OutcomeUnknown")
      assert.strictEqual((yield* failureOf(safe))._tag, "ConnectionFailed")
    }))

  it.effect("waits for nobody without a grace period, and cancels just the same", () =>
    Effect.gen(function*() {
      const { closing, link, server } = yield* linked(Duration.zero)
      const waiting = yield* started(call(link))
      yield* Fiber.join(yield* closing)
      yield* settled
      assert.deepStrictEqual(cancelledIds(server), requests(server).map(({ id }) => id))
      assert.strictEqual((yield* failureOf(waiting))._tag, "OutcomeUnknown")
    }))

  it.effect("lets a call that is interrupted go at once", () =>
    Effect.gen(function*() {
      const { closing, link, server } = yield* linked()
      const waiting = yield* started(call(link))
      const closed = yield* closing
      yield* Fiber.interrupt(waiting)
      yield* settled
      assert.isTrue(yield* isDone(closed))
      assert.strictEqual(cancelledIds(server).length, 1)
    }))

  it.effect("still makes the connection anew for a call that may be repeated", () =>
    Effect.gen(function*() {
      const { closing, gateway, link, server } = yield* linked()
      const repeated = yield* started(call(link, { replayable: true }))
      const closed = yield* closing
      server?.close()
      yield* settled
      const next = gateway.connections[1]
      next?.answer(requests(next)[0]?.id ?? 0, "again")
      assert.deepStrictEqual(yield* Fiber.join(repeated), Either.right("again"))
      yield* Fiber.join(closed)
    }))
})

describe("the grace period", () => {
  it("is 5 seconds unless the Layer or its user says otherwise", () => {
    const key = Redacted.make("key")
    assert.deepStrictEqual(optionsOf({}, key).gracePeriod, Duration.seconds(5))
    assert.deepStrictEqual(optionsOf({}, key, 0).gracePeriod, Duration.zero)
    assert.deepStrictEqual(optionsOf({ gracePeriod: "1 second" }, key, 0).gracePeriod, Duration.seconds(1))
  })
})
