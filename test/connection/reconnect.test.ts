import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { makePair } from "../../src/connection/memory.js"
import { defaultReconnect } from "../../src/connection/socketLink.js"
import { AuthenticationFailed, ConnectionFailed } from "../../src/errors/gateway.js"
import { initialized, make, requests, serveOn, settled, type Step } from "../support/scriptedGateway.js"
import { call, collected, failureOf, linkTo, started } from "./linkSupport.js"

const nobody = new ConnectionFailed({ message: "nobody there" })

const answering = (text: string) => initialized(({ id }, server) => server.answer(id, text))

const silent = initialized()

const later = (duration: number) => Effect.zipRight(TestClock.adjust(duration), settled)

describe("a lost connection", () => {
  it.scoped("is made anew at once, and calls go over the new one", () =>
    Effect.gen(function*() {
      const gateway = make(silent, answering("second"))
      const link = yield* linkTo(gateway)
      gateway.connections[0]?.close()
      yield* settled
      assert.strictEqual(yield* call(link), "second")
      assert.strictEqual(gateway.dials(), 2)
    }))

  it.scoped("is tried again after 1 s, 2 s, 4 s … and then every 60 s", () =>
    Effect.gen(function*() {
      const gateway = make(silent, nobody)
      yield* linkTo(gateway)
      gateway.connections[0]?.close()
      yield* settled
      assert.strictEqual(gateway.dials(), 2)
      let dials = 2
      for (const wait of [1, 2, 4, 8, 16, 32, 60, 60, 60]) {
        yield* later(wait * 1000 - 1)
        assert.strictEqual(gateway.dials(), dials, `before ${wait} s`)
        yield* later(1)
        assert.strictEqual(gateway.dials(), ++dials, `after ${wait} s`)
      }
    }))

  it.scoped("is made anew once, however many wait for it", () =>
    Effect.gen(function*() {
      const gateway = make(silent, nobody, answering("there"))
      const link = yield* linkTo(gateway)
      gateway.connections[0]?.close()
      yield* settled
      const calls = yield* Effect.forEach(Array.from({ length: 50 }), () => started(call(link)))
      yield* later(1000)
      const answers = yield* Effect.forEach(calls, (fiber) => Effect.flatten(Fiber.join(fiber)))
      assert.deepStrictEqual(new Set(answers), new Set(["there"]))
      assert.strictEqual(gateway.dials(), 3)
      assert.strictEqual(requests(gateway.connections[1]).length, 50)
    }))

  it.scoped("is not sought without pause where the gateway accepts and drops", () =>
    Effect.gen(function*() {
      const dropping: Step = (message, server) => {
        silent(message, server)
        if (message._tag === "Notification") server.close()
      }
      const gateway = make(dropping)
      yield* linkTo(gateway)
      yield* settled
      assert.strictEqual(gateway.dials(), 2)
      yield* later(1000)
      assert.strictEqual(gateway.dials(), 3)
      yield* later(1999)
      assert.strictEqual(gateway.dials(), 3)
      yield* later(1)
      assert.strictEqual(gateway.dials(), 4)
    }))

  it.scoped("is sought at once again after one that lasted", () =>
    Effect.gen(function*() {
      const gateway = make(silent, nobody, silent, nobody, nobody, silent)
      yield* linkTo(gateway)
      gateway.connections[0]?.close()
      yield* settled
      yield* later(1000)
      assert.strictEqual(gateway.connections.length, 2)
      yield* later(60_000)
      gateway.connections[1]?.close()
      yield* settled
      assert.strictEqual(gateway.dials(), 4)
      yield* later(1000)
      assert.strictEqual(gateway.dials(), 5)
      yield* later(2000)
      assert.strictEqual(gateway.connections.length, 3)
    }))

  it.scoped("is not lost again by the late end of an attempt that failed", () =>
    Effect.gen(function*() {
      const gateway = make(silent, answering("third"))
      const [client, other] = makePair()
      const refusing = serveOn(other, ({ _tag }, server) => {
        if (_tag === "Request") server.refuse(1, { code: -32603, message: "not yet" })
      })
      // As a socket does whose other side takes its time to say goodbye.
      const slow = { ...client, close: () => {} }
      let dials = 0
      const dial = Effect.suspend(() => ++dials === 2 ? Effect.succeed(slow) : gateway.dial)
      const link = yield* linkTo({ ...gateway, dial })
      gateway.connections[0]?.close()
      yield* settled
      yield* later(1000)
      assert.strictEqual(dials, 3)
      refusing.close()
      yield* settled
      const answered = yield* started(call(link))
      yield* later(0)
      assert.deepStrictEqual(yield* Fiber.poll(answered).pipe(Effect.map(Option.isSome)), true)
      assert.strictEqual(yield* Effect.flatten(Fiber.join(answered)), "third")
    }))

  it.effect("is no goodbye where an attempt to go on with the session fails, but where nobody needs it any more", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const codes: Array<number> = []
      const unanswered = Effect.sync(() => {
        const [client, other] = makePair()
        other.listen({
          onText: () => {},
          onBinary: () => {},
          onPong: () => {},
          onClose: ({ code }) => codes.push(code)
        })
        return client
      })
      let dials = 0
      const dial = Effect.suspend(() => ++dials === 1 ? gateway.dial : unanswered)
      const scope = yield* Scope.make()
      yield* Scope.extend(linkTo({ ...gateway, dial }), scope)
      gateway.connections[0]?.close(1006)
      yield* settled
      yield* later(30_000)
      assert.deepStrictEqual(codes, [1001])
      yield* later(1000)
      assert.strictEqual(dials, 3)
      yield* Scope.close(scope, Exit.void)
      yield* settled
      assert.deepStrictEqual(codes, [1001, 1000])
    }))

  it.scoped("that ends with the answer to initialize is no session for anybody", () =>
    Effect.gen(function*() {
      const closing: Step = (message, server) => {
        if (message._tag !== "Request") return
        silent(message, server)
        server.close()
      }
      const gateway = make(silent, closing, answering("third"))
      const link = yield* linkTo(gateway)
      gateway.connections[0]?.close()
      const waiting = yield* started(call(link))
      yield* later(1000)
      assert.strictEqual(yield* Effect.flatten(Fiber.join(waiting)), "third")
    }))

  it.scoped("ends for good when the key is refused, for those who wait and for those who come", () =>
    Effect.gen(function*() {
      const refused = new AuthenticationFailed({ message: "revoked" })
      const gateway = make(silent, nobody, refused)
      const link = yield* linkTo(gateway)
      const status = yield* collected(link.status)
      gateway.connections[0]?.close()
      yield* settled
      const waiting = yield* started(call(link))
      const session = yield* started(link.channel)
      yield* later(1000)
      assert.strictEqual(yield* failureOf(waiting), refused)
      assert.strictEqual(yield* failureOf(session), refused)
      assert.strictEqual(yield* Effect.flip(call(link)), refused)
      yield* Fiber.join(status.fiber)
      assert.deepStrictEqual(status.seen.map(({ _tag }) => _tag), ["Connected", "Reconnecting", "Closed"])
      assert.deepInclude(status.seen.at(-1), { _tag: "Closed", cause: refused })
      yield* later(600_000)
      assert.strictEqual(gateway.dials(), 3)
    }))

  it.scoped("ends for good when the schedule ends, with the last failure", () =>
    Effect.gen(function*() {
      const last = new ConnectionFailed({ message: "the last one" })
      const gateway = make(silent, nobody, nobody, last)
      const link = yield* linkTo(gateway, {
        reconnect: Schedule.spaced("1 second").pipe(Schedule.intersect(Schedule.recurs(2)))
      })
      gateway.connections[0]?.close()
      yield* settled
      const waiting = yield* started(call(link))
      yield* later(2000)
      assert.strictEqual(yield* failureOf(waiting), last)
      assert.strictEqual(yield* Effect.flip(call(link)), last)
    }))

  it.effect("waits by default from one second up to a minute, give or take a fifth", () =>
    Effect.gen(function*() {
      const driver = yield* Schedule.driver(Schedule.delays(defaultReconnect))
      const fiber = yield* Effect.fork(Effect.replicateEffect(driver.next(undefined), 12))
      yield* TestClock.adjust("1 hour")
      const waits = (yield* Fiber.join(fiber)).map(Duration.toSeconds)
      assert.strictEqual(waits.length, 12)
      waits.forEach((wait, index) => {
        const expected = Math.min(60, 2 ** index)
        assert.isAtLeast(wait, expected * 0.8 - 0.001)
        assert.isAtMost(wait, expected * 1.2 + 0.001)
      })
    }))
})

describe("status", () => {
  it.scoped("is told from now on, through loss and return", () =>
    Effect.gen(function*() {
      const gateway = make(silent, nobody, silent)
      const link = yield* linkTo(gateway)
      const status = yield* collected(link.status)
      gateway.connections[0]?.close(1001, "maintenance")
      yield* settled
      yield* later(1000)
      assert.deepStrictEqual(status.seen.map(({ _tag }) => _tag), ["Connected", "Reconnecting", "Connected"])
      const [first, lost, second] = status.seen
      assert.deepInclude(first, { _tag: "Connected", lost: undefined })
      assert.deepInclude(second?._tag === "Connected" ? second.lost : undefined, { calls: 0 })
      assert.strictEqual(
        lost?._tag === "Reconnecting" ? lost.cause.message : "",
        "The connection ended (code 1001: maintenance)"
      )
    }))

  it.scoped("says what was lost with the session before: the session, and the calls whose outcome is unknown", () =>
    Effect.gen(function*() {
      let sessions = 0
      const numbered: Step = (message, server) => {
        const session = { session_id: `session-${sessions + 1}` }
        initialized(() => {}, { native: {}, session })(message, server)
        if (message._tag === "Request" && message.method === "initialize") sessions++
      }
      const gateway = make(numbered, nobody, numbered)
      const link = yield* linkTo(gateway)
      const status = yield* collected(link.status)
      const unsafe = yield* Effect.forEach([1, 2, 3], () => started(call(link)))
      const safe = yield* started(call(link, { replayable: true }))
      yield* Fiber.interrupt(yield* started(call(link)))
      gateway.connections[0]?.close()
      yield* settled
      yield* later(1000)
      for (const fiber of unsafe) assert.strictEqual((yield* failureOf(fiber))._tag, "OutcomeUnknown")
      const losses = () =>
        status.seen.flatMap((now) =>
          now._tag === "Connected" ? [[now.session.id, now.lost?.session.id, now.lost?.calls]] : []
        )
      assert.deepStrictEqual(losses(), [["session-1", undefined, undefined], ["session-2", "session-1", 3]])
      gateway.connections[1]?.answer(requests(gateway.connections[1])[0]?.id ?? 0, "repeated")
      assert.strictEqual(yield* Effect.flatten(Fiber.join(safe)), "repeated")
      yield* later(10_000)
      gateway.connections[1]?.close()
      yield* settled
      assert.deepStrictEqual(losses().at(-1), ["session-3", "session-2", 0])
    }))

  it.scoped("asks to go on with the session before, of which nothing is lost where the gateway has it still", () =>
    Effect.gen(function*() {
      const begun: Step = initialized(() => {}, { native: {}, resume: {}, session: { session_id: "one" } })
      const resumed: Step = initialized(() => {}, {
        native: {},
        resume: {},
        session: { session_id: "one", resumed: true }
      })
      const gateway = make(begun, resumed)
      const link = yield* linkTo(gateway)
      const status = yield* collected(link.status)
      const unanswered = yield* started(call(link))
      gateway.connections[0]?.close(1006)
      yield* settled
      assert.deepInclude(gateway.connections[1]?.received[0], {
        params: {
          protocolVersion: "2024-11-05",
          clientInfo: { name: "test", version: "0.1.0" },
          capabilities: {},
          experimental: { kruxos: { resume: "one" } }
        }
      })
      assert.strictEqual((yield* failureOf(unanswered))._tag, "OutcomeUnknown")
      const now = status.seen.at(-1)
      assert.deepInclude(now, { _tag: "Connected", lost: undefined })
      assert.strictEqual(now?._tag === "Connected" ? now.session.id : undefined, "one")
    }))

  it.scoped("has the reason for which a gateway cuts off a slow reader, and then the next session", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const status = yield* collected((yield* linkTo(gateway)).status)
      gateway.connections[0]?.close(1013, "too much is unread")
      yield* settled
      const [, lost, next] = status.seen
      assert.strictEqual(
        lost?._tag === "Reconnecting" ? lost.cause.message : "",
        "The connection ended (code 1013: too much is unread)"
      )
      assert.strictEqual(next?._tag, "Connected")
    }))

  it.effect("ends with Closed when the scope closes, also for those who look later", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const gateway = make(silent)
      const link = yield* Scope.extend(linkTo(gateway), scope)
      const status = yield* collected(link.status)
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(status.fiber)
      assert.deepStrictEqual(status.seen.map(({ _tag }) => _tag), ["Connected", "Closed"])
      const last = status.seen.at(-1)
      assert.isUndefined(last?._tag === "Closed" ? last.cause : nobody)
      const late = yield* Stream.runCollect(link.status)
      assert.deepStrictEqual([...late].map(({ _tag }) => _tag), ["Closed"])
      yield* settled
      assert.isTrue(gateway.connections[0]?.isClosed())
    }))

  it.effect("ends with Closed when the scope closes while it is reconnecting", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const gateway = make(silent, "hang")
      const link = yield* Scope.extend(linkTo(gateway), scope)
      const status = yield* collected(link.status)
      gateway.connections[0]?.close()
      yield* settled
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(status.fiber)
      assert.deepStrictEqual(status.seen.map(({ _tag }) => _tag), ["Connected", "Reconnecting", "Closed"])
      yield* later(600_000)
      assert.strictEqual(gateway.dials(), 2)
    }))
})

describe("notifications", () => {
  it.scoped("reach those who listen, over every connection", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const link = yield* linkTo(gateway)
      const told = yield* collected(link.notifications)
      gateway.connections[0]?.notify("one", { a: 1 })
      yield* settled
      gateway.connections[0]?.close()
      yield* settled
      gateway.connections[1]?.notify("two")
      yield* settled
      assert.deepStrictEqual(told.seen.map(({ method, params }) => [method, params]), [["one", { a: 1 }], [
        "two",
        undefined
      ]])
    }))

  it.effect("end with the scope", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const link = yield* Scope.extend(linkTo(make(silent)), scope)
      const told = yield* collected(link.notifications)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(told.fiber)))
      assert.isTrue(Option.isSome(yield* Fiber.poll(told.fiber)))
    }))
})
