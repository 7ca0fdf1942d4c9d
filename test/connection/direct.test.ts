import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { ConnectionFailed } from "../../src/errors/gateway.js"
import { at } from "../support/json.js"
import { initialized, make, native, requests, settled } from "../support/scriptedGateway.js"
import { direct, failureOf, linkTo, started } from "./linkSupport.js"

const silent = initialized(undefined, native)

const later = (duration: number) => Effect.zipRight(TestClock.adjust(duration), settled)

const idOf = (server: Parameters<typeof requests>[0], method: string, index = 0) =>
  requests(server, method)[index]?.id ?? "none"

describe("a direct call", () => {
  it.scoped("is one request, and its answer", () =>
    Effect.gen(function*() {
      const gateway = make(initialized(({ id, params }, server) => server.answer(id, at(params, "of")), native))
      const link = yield* linkTo(gateway, { maxInFlight: 1 })
      for (const operation of ["one", "two"]) assert.strictEqual(yield* direct(link, { operation }), operation)
      assert.strictEqual(requests(gateway.connections[0]).length, 2)
    }))

  it.scoped("takes a turn, and waits for one where none is free", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const link = yield* linkTo(gateway, { maxInFlight: 1 })
      const server = gateway.connections[0]
      const [first, second] = [
        yield* started(direct(link, { operation: "first" })),
        yield* started(direct(link, { operation: "second" }))
      ]
      assert.strictEqual(requests(server).length, 1)
      server?.answer(idOf(server, "m"), "a")
      yield* settled
      server?.answer(idOf(server, "again"), "b")
      assert.deepStrictEqual(yield* Fiber.join(first), Either.right("a"))
      assert.deepStrictEqual(yield* Fiber.join(second), Either.right("b"))
    }))

  it.scoped("goes over a gateway that is not native as every call does", () =>
    Effect.gen(function*() {
      const gateway = make(initialized(({ id }, server) => server.answer(id, "plain")))
      const link = yield* linkTo(gateway)
      assert.strictEqual(yield* direct(link), "plain")
      assert.deepStrictEqual(requests(gateway.connections[0]).map(({ params }) => params), [{}])
    }))

  it.scoped("waits for a session where there is none", () =>
    Effect.gen(function*() {
      const gateway = make(silent, new ConnectionFailed({ message: "nobody there" }), silent)
      const link = yield* linkTo(gateway)
      gateway.connections[0]?.close()
      yield* settled
      const fiber = yield* started(direct(link))
      yield* later(1000)
      const server = gateway.connections[1]
      server?.answer(idOf(server, "again"), "late")
      assert.deepStrictEqual(yield* Fiber.join(fiber), Either.right("late"))
    }))

  it.scoped("goes on with an answer that takes more than a look, without asking again", () =>
    Effect.gen(function*() {
      const gateway = make(initialized(({ id }, server) => server.answer(id, { odd: true }), native))
      const link = yield* linkTo(gateway, { maxInFlight: 1 })
      assert.deepStrictEqual(yield* direct(link), { odd: true })
      assert.deepStrictEqual(yield* direct(link), { odd: true })
      assert.strictEqual(requests(gateway.connections[0]).length, 2)
    }))

  it.scoped("may make another call, which takes the turn that it has given back, until the deadline of the first", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const link = yield* linkTo(gateway, { maxInFlight: 1 })
      const server = gateway.connections[0]
      const start = yield* Clock.currentTimeMillis
      let deadlineGiven = 0
      const fiber = yield* started(
        direct(link, {}, (options, call, deadline) => {
          deadlineGiven = deadline
          const ask = call(options, (channel, timeoutMillis) => channel.request("again", {}, timeoutMillis))
          return Effect.zipRight(Effect.either(ask), ask)
        })
      )
      yield* later(4000)
      server?.refuse(idOf(server, "m"), { code: -1, message: "not now" })
      yield* settled
      assert.strictEqual(deadlineGiven, start + 10_000)
      server?.answer(idOf(server, "again"), "done")
      assert.deepStrictEqual(yield* Fiber.join(fiber), Either.right("done"))
    }))

  it.scoped("is cancelled by interruption, and gives its turn back, in every state", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const link = yield* linkTo(gateway, { maxInFlight: 1 })
      const server = gateway.connections[0]
      const asked = yield* started(direct(link))
      yield* Fiber.interrupt(asked)
      assert.deepStrictEqual(
        server?.received.flatMap((message) =>
          message._tag === "Notification" && message.method === "notifications/cancelled"
            ? [at(message.params, "requestId")]
            : []
        ),
        [idOf(server, "m")]
      )
      const goingOn = yield* started(direct(link, {}, () => Effect.never))
      server?.answer(idOf(server, "m", 1), { odd: true })
      yield* settled
      yield* Fiber.interrupt(goingOn)
      // Answered, and interrupted before it has heard of it.
      for (const answer of ["plain", { odd: true }]) {
        const answered = yield* started(direct(link))
        server?.answer(requests(server).at(-1)?.id ?? "none", answer)
        yield* Fiber.interrupt(answered)
      }
      const last = yield* started(direct(link))
      server?.answer(requests(server).at(-1)?.id ?? "none", "last")
      assert.deepStrictEqual(yield* Fiber.join(last), Either.right("last"))
      assert.strictEqual(requests(server).length, 5)
    }))

  it.scoped("fails as every call does when its deadline passes or its connection ends", () =>
    Effect.gen(function*() {
      const gateway = make(silent, silent, silent)
      const link = yield* linkTo(gateway)
      const slow = yield* started(direct(link, { timeoutMillis: 1000 }))
      const slowSafe = yield* started(direct(link, { timeoutMillis: 1000, replayable: true }))
      yield* later(1000)
      assert.strictEqual((yield* failureOf(slow))._tag, "OutcomeUnknown")
      assert.strictEqual((yield* failureOf(slowSafe))._tag, "GatewayTimeout")
      const lost = yield* started(direct(link))
      const safe = yield* started(direct(link, { replayable: true }))
      gateway.connections[0]?.close()
      yield* settled
      assert.strictEqual((yield* failureOf(lost))._tag, "OutcomeUnknown")
      const next = gateway.connections[1]
      assert.strictEqual(requests(next).length, 1)
      next?.answer(idOf(next, "again"), "twice")
      assert.deepStrictEqual(yield* Fiber.join(safe), Either.right("twice"))
    }))

  it.scoped("sends nothing where no time is left, or the arguments are not JSON", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const link = yield* linkTo(gateway, { maxInFlight: 1 })
      const late = yield* Effect.flip(direct(link, { timeoutMillis: 0 }))
      assert.strictEqual(late._tag, "GatewayTimeout")
      const bad = yield* Effect.flip(direct(link, { value: 1n }))
      assert.strictEqual(bad._tag, "Unsendable")
      assert.strictEqual(requests(gateway.connections[0]).length, 0)
      const good = yield* started(direct(link))
      assert.strictEqual(requests(gateway.connections[0]).length, 1)
      yield* Fiber.interrupt(good)
    }))

  it.effect("fails when the scope of its connection closes", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const scope = yield* Scope.make()
      const link = yield* Scope.extend(linkTo(gateway), scope)
      const fiber = yield* started(direct(link))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* failureOf(fiber))._tag, "OutcomeUnknown")
      assert.strictEqual((yield* Effect.flip(direct(link)))._tag, "ConnectionFailed")
    }))
})
