import { assert, describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Drain from "../../../src/local/protocol/drain.js"
import { until, within } from "../../support/deadline.js"
import { withLogs } from "../../support/logs.js"
import { post, rpc } from "../../support/rawHttp.js"
import { connect, initialized, open } from "../../support/rawSocket.js"
import { serveCustom } from "./customGateway.js"

const invocation = (text: string, id: string | number = text) => ({
  jsonrpc: "2.0",
  id,
  method: "capabilities.invoke",
  params: { capability: "test.run", arguments: { text } }
})

const shuttingDown = {
  message: "The gateway is shutting down and has not run this: send it again in a moment",
  data: { error_type: "ServiceUnavailable", retryable: true, retry_after: 1 }
}

/** A gateway whose invocations run until they are let go, in a scope of its own, and the end of that scope. */
const draining = (gracePeriod: Duration.DurationInput) =>
  Effect.gen(function*() {
    const held = new Map<string, () => void>()
    const stopped: Array<string> = []
    const scope = yield* Scope.make()
    const served = yield* Effect.provideService(
      serveCustom({
        gracePeriod,
        run: (text) =>
          Effect.async<string>((resume) => {
            held.set(text, () => resume(Effect.succeed(text)))
            return Effect.sync(() => stopped.push(text))
          })
      }),
      Scope.Scope,
      scope
    )
    const end = within("the end of the gateway")(Effect.disconnect(Scope.close(scope, Exit.void)))
    return {
      served,
      stopped,
      running: (...texts: ReadonlyArray<string>) =>
        until(`${texts.join()} to run`, Effect.sync(() => texts.every((text) => held.has(text)))),
      letGo: (text: string) => held.get(text)?.(),
      ending: Effect.fork(end)
    }
  })

/** Until a new request is refused. */
const begun = (gateway: Parameters<typeof rpc>[0]) =>
  until("the draining", Effect.map(post(gateway, invocation("probe")), ({ status }) => status === 503))

const isDone = <A, E>(fiber: Fiber.Fiber<A, E>) => Effect.map(Fiber.poll(fiber), Option.isSome)

describe("a gateway that drains", () => {
  it.scopedLive(
    "answers what runs, and closes each connection as soon as nothing of it is unanswered",
    () =>
      withLogs((logs) =>
        Effect.gen(function*() {
          const { ending, letGo, running, served, stopped } = yield* draining("5 seconds")
          const [one, two, idle, mute] = [
            yield* initialized(served),
            yield* initialized(served),
            yield* initialized(served),
            yield* connect(served)
          ]
          yield* one.send(invocation("a"))
          yield* one.send(invocation("b"))
          yield* two.send(invocation("c"))
          const requesting = yield* Effect.fork(post(served, invocation("d")))
          yield* running("a", "b", "c", "d")
          const ended = yield* ending
          for (const socket of [idle, mute]) {
            expect(yield* socket.closed).toEqual({ code: 1001, reason: "the gateway is shutting down" })
          }
          letGo("a")
          expect(yield* one.receive).toMatchObject({ id: "a", result: { data: { text: "a" } } })
          letGo("c")
          expect(yield* two.receive).toMatchObject({ id: "c", result: { data: { text: "c" } } })
          expect((yield* two.closed).code).toBe(1001)
          letGo("b")
          expect(yield* one.receive).toMatchObject({ id: "b" })
          expect((yield* one.closed).code).toBe(1001)
          expect(yield* isDone(ended)).toBe(false)
          letGo("d")
          expect(yield* Fiber.join(requesting)).toMatchObject({
            status: 200,
            body: { result: { data: { text: "d" } } }
          })
          yield* Fiber.join(ended)
          expect(stopped).toEqual([])
          expect(logs.filter((log) => log.includes("Draining: 4 requests still run"))).toHaveLength(1)
          expect(logs.filter((log) => log.includes("Drained: all requests have ended"))).toHaveLength(1)
        })
      ),
    20_000
  )

  it.scopedLive(
    "refuses what is new without running it, and still hears a cancellation and a ping",
    () =>
      Effect.gen(function*() {
        const { ending, letGo, running, served, stopped } = yield* draining("5 seconds")
        const socket = yield* initialized(served)
        yield* socket.send(invocation("kept"))
        yield* socket.send(invocation("cancelled"))
        const requesting = yield* Effect.fork(post(served, invocation("http", "http")))
        yield* running("kept", "cancelled", "http")
        const ended = yield* ending
        yield* begun(served)
        yield* socket.send(invocation("new"))
        expect(yield* socket.receive).toMatchObject({ id: "new", error: shuttingDown })
        expect(yield* socket.call("initialize", {})).toMatchObject({ error: shuttingDown })
        expect(yield* socket.call("ping")).toMatchObject({ result: {} })
        const { body, headers, status } = yield* post(served, [invocation("new"), { jsonrpc: "2.0", method: "told" }])
        expect({ body, status }).toMatchObject({ status: 503, body: [{ id: "new", error: shuttingDown }] })
        expect(headers.get("retry-after")).toBe("1")
        expect(yield* rpc(served, "session.create")).toMatchObject({ error: shuttingDown })
        expect((yield* post(served, invocation("new"), { key: "f".repeat(64) })).status).toBe(401)
        const refused = yield* Effect.flip(open(served.url, { key: served.key }))
        expect(refused).toMatchObject({ status: 503, body: { error: shuttingDown } })
        yield* socket.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "cancelled" } })
        yield* post(served, { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "http" } })
        yield* until("the end of both", Effect.sync(() => stopped.length === 2))
        expect((yield* Fiber.join(requesting)).status).toBe(200)
        letGo("kept")
        expect(yield* socket.receive).toMatchObject({ id: "kept", result: {} })
        yield* Fiber.join(ended)
        expect(new Set(stopped)).toEqual(new Set(["cancelled", "http"]))
      }),
    20_000
  )

  it.scopedLive("stops what has not finished within the grace period", () =>
    withLogs((logs) =>
      Effect.gen(function*() {
        const { ending, running, served, stopped } = yield* draining("300 millis")
        const socket = yield* initialized(served)
        yield* socket.send(invocation("socket"))
        const requesting = yield* Effect.fork(post(served, invocation("http")))
        yield* running("socket", "http")
        yield* Effect.flatMap(ending, Fiber.join)
        expect(new Set(stopped)).toEqual(new Set(["socket", "http"]))
        expect((yield* socket.closed).code).toBe(1001)
        expect((yield* Fiber.join(requesting)).status).toBe(503)
        expect(logs.filter((log) => log.includes("2 requests have not ended within 300ms and are stopped")))
          .toHaveLength(1)
      })
    ), 20_000)

  it.scopedLive("lets a large answer arrive before it closes", () =>
    Effect.gen(function*() {
      const size = 12 * 1024 * 1024
      const scope = yield* Scope.make()
      const served = yield* Effect.provideService(
        serveCustom({ gracePeriod: "5 seconds", run: () => Effect.sync(() => "x".repeat(size)) }),
        Scope.Scope,
        scope
      )
      const socket = yield* initialized(served)
      yield* socket.pause
      yield* socket.send(invocation("large"))
      const other = yield* initialized(served)
      yield* until("the answer", Effect.map(other.call("ping"), () => true))
      const ending = yield* Effect.fork(Effect.disconnect(Scope.close(scope, Exit.void)))
      // The gateway has the answer in its hands longer than it waits for a goodbye.
      yield* Effect.sleep("1500 millis")
      expect(yield* isDone(ending)).toBe(false)
      yield* socket.resume
      const answer = yield* socket.receive
      expect(JSON.stringify(answer).length).toBeGreaterThan(size)
      expect((yield* socket.closed).code).toBe(1001)
      yield* within("the end of the gateway")(Fiber.join(ending))
    }), 20_000)
})

describe("draining", () => {
  const service = Effect.provide(Drain.Drain, Drain.layer)

  it.scoped("waits for whatever is tracked, as long as it is", () =>
    Effect.gen(function*() {
      const drain = yield* service
      const counts = { one: 2, two: 1 }
      let idle = 0
      yield* drain.track({ running: () => counts.one, onIdle: () => idle++ })
      const scope = yield* Scope.make()
      yield* Scope.extend(drain.track({ running: () => counts.two }), scope)
      assert.isFalse(drain.isDraining())
      const done = yield* Effect.fork(drain.drain(Duration.seconds(10)))
      yield* TestClock.adjust("1 second")
      assert.isTrue(drain.isDraining())
      counts.one = 0
      yield* TestClock.adjust("10 millis")
      assert.strictEqual(idle, 1)
      assert.isFalse(yield* isDone(done))
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("10 millis")
      assert.isTrue(yield* isDone(done))
      assert.strictEqual(Chunk.size(yield* TestClock.sleeps()), 0)
    }))

  it.scoped("ends at once where nothing runs, and after the grace period in any case", () =>
    Effect.gen(function*() {
      const drain = yield* service
      let running = 0
      yield* drain.track({ running: () => running })
      yield* drain.drain(Duration.seconds(10))
      running = 1
      const done = yield* Effect.fork(drain.drain(Duration.seconds(1)))
      yield* TestClock.adjust("990 millis")
      assert.isFalse(yield* isDone(done))
      yield* TestClock.adjust("10 millis")
      assert.isTrue(yield* isDone(done))
    }))
})
