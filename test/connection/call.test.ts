import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { AuthenticationFailed, ConnectionFailed } from "../../src/errors/gateway.js"
import { initialized, make, native, notified, requests, settled } from "../support/scriptedGateway.js"
import { call, failureOf, linkTo, started } from "./linkSupport.js"

const nobody = new ConnectionFailed({ message: "nobody there" })

const answering = (text: string) => initialized(({ id }, server) => server.answer(id, text))

const silent = initialized()

/** Drops the connection at the first request. */
const dropping = initialized((_, server) => server.close())

const later = (duration: number) => Effect.zipRight(TestClock.adjust(duration), settled)

const unsettled = <A>(fiber: Fiber.Fiber<A>) => Effect.map(Fiber.poll(fiber), Option.isNone)

describe("a call in flight when the connection drops", () => {
  it.scoped("is sent again, once, if it may be repeated", () =>
    Effect.gen(function*() {
      const gateway = make(dropping, answering("second"))
      const link = yield* linkTo(gateway)
      assert.strictEqual(yield* call(link, { replayable: true }), "second")
      assert.strictEqual(requests(gateway.connections[0]).length, 1)
      assert.strictEqual(requests(gateway.connections[1]).length, 1)
    }))

  it.scoped("is not sent a third time", () =>
    Effect.gen(function*() {
      const gateway = make(dropping, dropping, answering("third"))
      const link = yield* linkTo(gateway)
      const failure = yield* Effect.flip(call(link, { replayable: true }))
      assert.strictEqual(failure._tag, "ConnectionFailed")
      assert.match("message" in failure ? failure.message : "", /twice.*code 1001: going away/)
      yield* later(60_000)
      assert.deepStrictEqual(requests(gateway.connections[2]), [])
    }))

  it.scoped("is never sent again if it may not be repeated", () =>
    Effect.gen(function*() {
      const gateway = make(dropping, answering("second"))
      const link = yield* linkTo(gateway)
      const failure = yield* Effect.flip(call(link))
      assert.strictEqual(failure._tag, "OutcomeUnknown")
      yield* later(60_000)
      assert.deepStrictEqual(requests(gateway.connections[1]), [])
    }))

  it.scoped("keeps its deadline when it is sent again", () =>
    Effect.gen(function*() {
      const gateway = make(silent, nobody, nobody, silent)
      const link = yield* linkTo(gateway)
      const fiber = yield* started(call(link, { replayable: true, timeoutMillis: 5000 }))
      yield* later(1500)
      gateway.connections[0]?.close()
      yield* settled
      yield* later(3000)
      assert.strictEqual(requests(gateway.connections[1]).length, 1)
      yield* later(499)
      assert.isTrue(yield* unsettled(fiber))
      yield* later(1)
      assert.strictEqual((yield* failureOf(fiber))._tag, "GatewayTimeout")
    }))
})

describe("a keyed call in flight when the connection drops", () => {
  const record = (record_id: string) => ({ ...native, idempotency: { record_id } })
  const droppingAt = (name: string) => initialized((_, server) => server.close(), record(name))
  const answeringAt = (name: string) => initialized(({ id }, server) => server.answer(id, name), record(name))
  const keyed = { idempotencyKey: "the key" }

  const unknown = (failure: { readonly _tag: string }) => {
    assert.strictEqual(failure._tag, "OutcomeUnknown")
    assert.strictEqual("idempotencyKey" in failure ? failure.idempotencyKey : undefined, "the key")
  }

  it.scoped("is sent again, once, to the same record", () =>
    Effect.gen(function*() {
      const gateway = make(droppingAt("a"), answeringAt("a"))
      const link = yield* linkTo(gateway)
      assert.strictEqual(yield* call(link, keyed), "a")
      assert.strictEqual(requests(gateway.connections[1]).length, 1)
    }))

  it.scoped("is not sent a third time", () =>
    Effect.gen(function*() {
      const gateway = make(droppingAt("a"), droppingAt("a"), answeringAt("a"))
      const link = yield* linkTo(gateway)
      unknown(yield* Effect.flip(call(link, keyed)))
      yield* later(60_000)
      assert.deepStrictEqual(requests(gateway.connections[2]), [])
    }))

  it.scoped("is not sent to a gateway that has another record, or none", () =>
    Effect.gen(function*() {
      for (const next of [answeringAt("b"), initialized(() => {}, native), initialized()]) {
        const gateway = make(droppingAt("a"), next)
        const link = yield* linkTo(gateway)
        unknown(yield* Effect.flip(call(link, keyed)))
        assert.deepStrictEqual(requests(gateway.connections[1]), [])
      }
    }))

  it.scoped("is in doubt when there is no other connection in time, or never", () =>
    Effect.gen(function*() {
      const late = yield* linkTo(make(droppingAt("a"), "hang"))
      const fiber = yield* started(call(late, { ...keyed, timeoutMillis: 5000 }))
      yield* later(5000)
      unknown(yield* failureOf(fiber))
      const refused = new AuthenticationFailed({ message: "revoked" })
      const never = yield* linkTo(make(droppingAt("a"), refused))
      unknown(yield* Effect.flip(call(never, keyed)))
    }))

  it.scoped("was sent without its key to a gateway that keeps no record", () =>
    Effect.gen(function*() {
      const gateway = make(initialized((_, server) => server.close(), native), answeringAt("a"))
      const link = yield* linkTo(gateway)
      const failure = yield* Effect.flip(call(link, keyed))
      assert.strictEqual(failure._tag, "OutcomeUnknown")
      assert.strictEqual("idempotencyKey" in failure ? failure.idempotencyKey : "none", undefined)
      assert.deepStrictEqual(requests(gateway.connections[1]), [])
    }))

  it.scoped("says its key when its deadline passes", () =>
    Effect.gen(function*() {
      const link = yield* linkTo(make(initialized(() => {}, record("a"))))
      const fiber = yield* started(call(link, { ...keyed, timeoutMillis: 2000 }))
      yield* later(2000)
      unknown(yield* failureOf(fiber))
    }))
})

describe("a call whose deadline passes", () => {
  it.scoped("is a timeout if it may be repeated", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const link = yield* linkTo(gateway)
      const fiber = yield* started(call(link, { replayable: true, timeoutMillis: 2000, operation: "filesystem.read" }))
      yield* later(2000)
      const failure = yield* failureOf(fiber)
      assert.deepInclude(failure, {
        _tag: "GatewayTimeout",
        message: "filesystem.read was not answered within 2 s",
        operation: "filesystem.read",
        retryable: true
      })
      assert.deepStrictEqual(failure._tag === "GatewayTimeout" ? failure.timeout : undefined, Duration.seconds(2))
      assert.strictEqual(notified(gateway.connections[0], "notifications/cancelled").length, 1)
    }))

  it.scoped("has an unknown outcome if it may not be repeated", () =>
    Effect.gen(function*() {
      const link = yield* linkTo(make(silent))
      const fiber = yield* started(call(link))
      yield* later(10_000)
      const failure = yield* failureOf(fiber)
      assert.deepInclude(failure, { _tag: "OutcomeUnknown", retryable: false })
    }))

  it.scoped("was never sent if it waited for the connection all the time, whatever it is", () =>
    Effect.gen(function*() {
      const gateway = make(silent, nobody)
      const link = yield* linkTo(gateway)
      gateway.connections[0]?.close()
      yield* settled
      const fiber = yield* started(call(link))
      yield* later(9999)
      assert.isTrue(yield* unsettled(fiber))
      yield* later(1)
      const failure = yield* failureOf(fiber)
      assert.strictEqual(failure._tag, "GatewayTimeout")
      assert.match("message" in failure ? failure.message : "", /was not sent/)
    }))

  it.scoped("is not sent at all when there is no time", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const link = yield* linkTo(gateway)
      assert.strictEqual((yield* Effect.flip(call(link, { timeoutMillis: 0 })))._tag, "GatewayTimeout")
      yield* settled
      assert.deepStrictEqual(requests(gateway.connections[0]), [])
    }))
})

describe("a call that waits for the connection", () => {
  it.scoped("is sent as soon as it is there, with the time that is left", () =>
    Effect.gen(function*() {
      const gateway = make(silent, nobody, nobody, silent)
      const link = yield* linkTo(gateway)
      gateway.connections[0]?.close()
      yield* settled
      const fiber = yield* started(call(link, { timeoutMillis: 4000 }))
      yield* later(3000)
      assert.strictEqual(requests(gateway.connections[1]).length, 1)
      yield* later(1000)
      assert.strictEqual((yield* failureOf(fiber))._tag, "OutcomeUnknown")
    }))

  it.scoped("is not sent if its caller gives up", () =>
    Effect.gen(function*() {
      const gateway = make(silent, nobody, silent)
      const link = yield* linkTo(gateway)
      gateway.connections[0]?.close()
      yield* settled
      const fiber = yield* started(call(link))
      yield* Fiber.interrupt(fiber)
      yield* later(60_000)
      assert.deepStrictEqual(requests(gateway.connections[1]), [])
    }))
})

describe("when the scope closes", () => {
  it.effect("everything that waits is settled at once", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const gateway = make(silent)
      const link = yield* Scope.extend(linkTo(gateway, { maxInFlight: 2 }), scope)
      const repeatable = yield* started(call(link, { replayable: true }))
      const other = yield* started(call(link))
      const queued = yield* started(call(link))
      yield* Scope.close(scope, Exit.void)
      yield* settled
      assert.deepInclude(yield* failureOf(repeatable), {
        _tag: "ConnectionFailed",
        message: "The connection was closed by its scope",
        retryable: false
      })
      assert.strictEqual((yield* failureOf(other))._tag, "OutcomeUnknown")
      assert.strictEqual((yield* failureOf(queued))._tag, "ConnectionFailed")
      assert.strictEqual((yield* Effect.flip(call(link)))._tag, "ConnectionFailed")
      assert.strictEqual((yield* Effect.flip(link.channel))._tag, "ConnectionFailed")
    }))

  it.effect("what waits for a new connection is settled, too", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const gateway = make(silent, "hang")
      const link = yield* Scope.extend(linkTo(gateway), scope)
      gateway.connections[0]?.close()
      yield* settled
      const waiting = yield* started(call(link))
      const session = yield* started(link.channel)
      yield* Scope.close(scope, Exit.void)
      yield* settled
      assert.strictEqual((yield* failureOf(waiting))._tag, "ConnectionFailed")
      assert.strictEqual((yield* failureOf(session))._tag, "ConnectionFailed")
    }))
})

it.scoped("the answer and the loss of the connection in one go are an answer", () =>
  Effect.gen(function*() {
    const gateway = make(initialized(({ id }, server) => {
      server.answer(id, "just in time")
      server.close()
    }))
    const link = yield* linkTo(gateway)
    assert.strictEqual(yield* call(link), "just in time")
  }))
