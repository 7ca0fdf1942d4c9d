import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Capabilities, Gateway, type GatewayOptions } from "kruxos"
import { until, within } from "../support/deadline.js"
import { at } from "../support/json.js"
import { type RpcServer, rpcServer } from "../support/realServers.js"
import {
  answering,
  cancellations,
  created,
  invocations,
  keyedGateway,
  layer,
  messages,
  path,
  stat,
  success,
  write
} from "./httpSupport.js"

const written = success({ path, size: 0, checksum: "0".repeat(64) })

const gaveUp = (server: RpcServer, id: unknown) =>
  until(
    "the cancellation",
    Effect.sync(() => cancellations(server).some(({ requestId }) => requestId === id))
  )

const asked = (server: RpcServer, count: number) =>
  until("the requests", Effect.sync(() => invocations(server).length === count))

/** The Layer's services, and the end of its scope. */
const opened = (server: RpcServer, options: Partial<GatewayOptions> = {}) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const context = yield* Scope.extend(Layer.build(layer(server, options)), scope)
    return { context, close: Scope.close(scope, Exit.void) }
  })

describe("HTTP and a keyed call", () => {
  it.scopedLive("whose caller gives up: the gateway is told, because the end of the request would not stop it", () =>
    Effect.gen(function*() {
      const server = yield* keyedGateway(() => "silence")
      yield* Effect.gen(function*() {
        const [unsafe, safe] = [yield* Effect.fork(write), yield* Effect.fork(stat)]
        yield* asked(server, 2)
        yield* Fiber.interruptAll([unsafe, safe])
        const keyed = invocations(server).find((body) => at(body, "params", "idempotency_key") !== undefined)
        yield* gaveUp(server, at(keyed, "id"))
        yield* until("the end of their request", Effect.sync(() => server.aborted() >= 1))
        assert.deepStrictEqual(cancellations(server), [{ requestId: at(keyed, "id"), session_id: "s-1" }])
      }).pipe(Effect.provide(layer(server)))
    }).pipe(within("the end")))

  it.scopedLive("whose deadline passes: the gateway is told", () =>
    Effect.gen(function*() {
      const server = yield* keyedGateway(() => "silence")
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(write))._tag, "OutcomeUnknown")
        yield* gaveUp(server, at(invocations(server)[0], "id"))
      }).pipe(Effect.provide(layer(server, { requestTimeout: "1 second" })))
    }).pipe(within("the end")))

  it.scopedLive("that is interrupted together with its Layer: the gateway is told before the session ends", () =>
    Effect.gen(function*() {
      const server = yield* keyedGateway(() => "silence")
      const program = yield* Effect.fork(Effect.provide(write, layer(server)))
      yield* asked(server, 1)
      yield* Fiber.interrupt(program)
      const methods = messages(server).map((body) => at(body, "method"))
      assert.deepStrictEqual(methods, [
        "session.create",
        "capabilities.invoke",
        "notifications/cancelled",
        "session.end"
      ])
    }).pipe(within("the end")))

  it.scopedLive("that is answered: the gateway is told nothing", () =>
    Effect.gen(function*() {
      const server = yield* keyedGateway(() => written)
      yield* Effect.provide(write, layer(server))
      assert.deepStrictEqual(cancellations(server), [])
    }).pipe(within("the answer")))
})

describe("the end of an HTTP link", () => {
  it.scopedLive("waits for the calls in flight, refuses new ones, and then says goodbye", () =>
    Effect.gen(function*() {
      const held: Array<() => void> = []
      const server = yield* rpcServer((text, response) => {
        const answer = () => answering((method) => method === "session.create" ? created() : written)(text, response)
        if (text.includes("capabilities.invoke")) held.push(answer)
        else answer()
      })
      const { close, context } = yield* opened(server)
      const waiting = yield* Effect.fork(Effect.provide(write, context))
      yield* asked(server, 1)
      const closing = yield* Effect.fork(close)
      // Until the link knows that it is to end.
      yield* Effect.repeatN(Effect.yieldNow(), 10)
      const refused = yield* Effect.flip(Effect.provide(stat, context))
      assert.strictEqual(refused._tag, "ConnectionFailed")
      assert.strictEqual(invocations(server).length, 1)
      held.forEach((answer) => answer())
      assert.strictEqual((yield* Fiber.join(waiting)).path, path)
      yield* Fiber.join(closing)
      assert.strictEqual(at(messages(server).at(-1), "method"), "session.end")
      assert.deepStrictEqual(cancellations(server), [])
    }).pipe(within("the end")))

  it.scopedLive("cancels what has not finished within the grace period", () =>
    Effect.gen(function*() {
      const server = yield* keyedGateway(() => "silence")
      const { close, context } = yield* opened(server, { gracePeriod: "100 millis" })
      const [unsafe, safe] = yield* Effect.all([
        Effect.fork(Effect.provide(Effect.flip(write), context)),
        Effect.fork(Effect.provide(Effect.flip(stat), context))
      ])
      yield* asked(server, 2)
      yield* close
      assert.strictEqual((yield* Fiber.join(unsafe))._tag, "OutcomeUnknown")
      assert.strictEqual((yield* Fiber.join(safe))._tag, "ConnectionFailed")
      const keyed = invocations(server).find((body) => at(body, "params", "idempotency_key") !== undefined)
      assert.deepStrictEqual(cancellations(server), [{ requestId: at(keyed, "id"), session_id: "s-1" }])
      assert.strictEqual(at(messages(server).at(-1), "method"), "session.end")
      yield* until("the end of their request", Effect.sync(() => server.aborted() >= 1))
    }).pipe(within("the end")))
})

describe("the status over HTTP", () => {
  it.scopedLive("says what was lost when a session has expired", () =>
    Effect.gen(function*() {
      let sessions = 0
      const expired = { error: { code: -32_603, message: "over", data: { type: "SessionExpired", message: "over" } } }
      const server = yield* rpcServer(answering((method, params) => {
        if (method === "session.create") return created(`s-${++sessions}`)
        if (at(params, "session_id") === "s-1" && at(params, "capability") === "filesystem.stat") return expired
        return success({ exists: true })
      }))
      const statuses = yield* Effect.gen(function*() {
        const { status } = yield* Gateway
        const seen = yield* Effect.fork(Stream.runCollect(Stream.take(status, 2)))
        yield* Effect.yieldNow()
        yield* stat
        return yield* Fiber.join(seen)
      }).pipe(Effect.provide(layer(server)))
      const connected = [...statuses].map((now) =>
        now._tag === "Connected" ? [now.session.id, now.lost?.session.id, now.lost?.calls] : [now._tag]
      )
      assert.deepStrictEqual(connected, [["s-1", undefined, undefined], ["s-2", "s-1", 0]])
    }).pipe(within("the statuses")))
})

describe("the send queue over HTTP", () => {
  const mebibyte = 1024 * 1024

  const invokeLarge = (text: string) =>
    Effect.flatMap(Capabilities, ({ invokeDynamic }) => invokeDynamic("pack.keep", { text }))

  it.scopedLive(
    "holds calls back while too many bytes are on their way, and sends them then",
    () =>
      Effect.gen(function*() {
        const held: Array<() => void> = []
        const server = yield* rpcServer((text, response) => {
          const answer = () =>
            answering((method) => method === "session.create" ? created() : success({}))(text, response)
          if (text.includes("capabilities.invoke")) held.push(answer)
          else answer()
        })
        yield* Effect.gen(function*() {
          const calls = yield* Effect.forEach(
            ["a", "b", "c", "d"],
            (letter) => Effect.fork(invokeLarge(letter.repeat(mebibyte)))
          )
          yield* asked(server, 2)
          // Not even a small one goes past those who wait; and what was not sent says so.
          const small = yield* Effect.flip(
            Effect.flatMap(
              Capabilities,
              ({ invokeDynamic }) => invokeDynamic("pack.keep", {}, { timeout: "100 millis" })
            )
          )
          assert.strictEqual(small._tag, "GatewayTimeout")
          assert.strictEqual(invocations(server).length, 2)
          for (let answered = 0; answered < 4; answered++) {
            yield* until("the next one", Effect.sync(() => held.length > answered))
            held[answered]?.()
          }
          yield* Fiber.joinAll(calls)
          const order = invocations(server).map((body) => String(at(body, "params", "arguments", "text")).charAt(0))
          assert.deepStrictEqual(order.toSorted(), ["a", "b", "c", "d"])
          // Those that go together may arrive in any order: each has a socket of its own.
          assert.deepStrictEqual(order.slice(2).toSorted(), ["c", "d"])
          assert.deepStrictEqual(cancellations(server), [])
        }).pipe(Effect.provide(layer(server, { sendQueueBytes: 1.5 * mebibyte })))
      }).pipe(within("the answers", "15 seconds")),
    20_000
  )
})
