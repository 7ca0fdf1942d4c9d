import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { until, within } from "../support/deadline.js"
import type { ProxiedConnection } from "../support/faultProxy.js"
import { serve } from "../support/faultProxyScript.js"
import { clientThrough, standing } from "./proxySupport.js"

const strange = { success: true, data: { content: "from the old socket", size: 1, size_bytes: 1 } }

const answer = (id: unknown) => JSON.stringify({ jsonrpc: "2.0", id, result: strange })

/** As many ids as a client can have in use. */
const answers = (connection: ProxiedConnection) => {
  for (let id = 0; id < 20; id++) connection.inject(answer(id))
}

const isHeld = (connection: ProxiedConnection) =>
  until("the answer in the proxy", Effect.sync(() => connection.held("toClient") > 0))

describe("a late event of an old socket", () => {
  it.scopedLive("that a client has given up before its session, settles and disturbs nothing", () =>
    Effect.gen(function*() {
      const { connection, gateway, proxy, write } = yield* standing()
      write("one", "the right one")
      const client = yield* clientThrough(proxy, gateway.key, { requestTimeout: "500 millis" })
      const first = yield* connection(0)
      // The next connection is made, and the answer to its `initialize` stays in the proxy but for its start.
      proxy.plan(serve({ _tag: "Stall", direction: "toClient", afterBytes: 140, milliseconds: 60_000 }))
      first.cut("reset")
      yield* until("the second connection", Effect.sync(() => proxy.connections.length === 2))
      const old = yield* connection(1)
      yield* isHeld(old)
      // The gateway is not told that its client has gone.
      old.hold("toServer")
      yield* client.reconnected(1)
      assert.strictEqual(proxy.connections.length, 3)
      const current = yield* connection(2)
      current.hold("toClient")
      const reading = yield* Effect.fork(client.read("one"))
      yield* isHeld(current)
      assert.isTrue(old.isOpen(), "the old socket is still there to be heard")
      answers(old)
      old.release("toClient")
      yield* until("the late answers", Effect.sync(() => old.forwarded("toClient") > 500))
      old.cut("reset")
      yield* Effect.sleep("100 millis")
      assert.isNull(yield* Effect.map(Fiber.poll(reading), (exit) => exit._tag === "None" ? null : exit.value))
      current.release("toClient")
      assert.strictEqual(yield* Fiber.join(reading), "the right one")
      assert.deepStrictEqual(client.seen, ["Connected", "Reconnecting", "Connected"])
      assert.strictEqual(proxy.connections.length, 3)
    }).pipe(within("the answer", "15 seconds")))

  it.scopedLive("on which it was waiting for answers, gives them to nobody", () =>
    Effect.gen(function*() {
      const { connection, contents, gateway, proxy, write } = yield* standing()
      write("one", "the right one")
      const client = yield* clientThrough(proxy, gateway.key, { heartbeat: "500 millis" })
      const old = yield* connection(0)
      old.hold("toClient")
      const reading = yield* Effect.fork(client.read("one"))
      const appending = yield* Effect.fork(client.append("log", "x"))
      yield* until("the effect", Effect.sync(() => contents("log") === "x"))
      yield* client.reconnected(1)
      answers(old)
      old.release("toClient")
      assert.strictEqual(yield* Fiber.join(reading), "the right one")
      // It is sent again with its key, and the gateway answers again what it has done once.
      assert.strictEqual((yield* Fiber.join(appending)).path, "/workspace/log")
      old.cut("end")
      yield* Effect.sleep("300 millis")
      assert.strictEqual(contents("log"), "x")
      assert.deepStrictEqual(client.seen, ["Connected", "Reconnecting", "Connected"])
      assert.strictEqual(yield* client.read("one"), "the right one")
      assert.strictEqual(proxy.connections.length, 2)
    }).pipe(within("the answer", "15 seconds")))

  it.scopedLive("whose end comes when there is a new one, ends nothing", () =>
    Effect.gen(function*() {
      const { connection, gateway, proxy, write } = yield* standing()
      write("one", "the right one")
      const client = yield* clientThrough(proxy, gateway.key, { heartbeat: "500 millis" })
      const old = yield* connection(0)
      old.lose("toClient")
      yield* client.reconnected(1)
      for (const how of ["end", "reset"] as const) {
        old.cut(how)
        yield* Effect.sleep("50 millis")
        assert.strictEqual(yield* client.read("one"), "the right one")
      }
      assert.deepStrictEqual(client.seen, ["Connected", "Reconnecting", "Connected"])
    }).pipe(within("the answer", "15 seconds")))

  it.scopedLive("that brings a request late to the gateway, has its effect once", () =>
    Effect.gen(function*() {
      const { connection, contents, gateway, proxy } = yield* standing()
      const client = yield* clientThrough(proxy, gateway.key, { heartbeat: "500 millis" })
      const old = yield* connection(0)
      old.hold("toServer")
      const appending = yield* Effect.fork(client.append("log", "x"))
      yield* until("the request in the proxy", Effect.sync(() => old.held("toServer") > 100))
      yield* client.reconnected(1)
      old.release("toServer")
      assert.strictEqual((yield* Fiber.join(appending)).path, "/workspace/log")
      yield* Effect.sleep("300 millis")
      // It came with the old socket and over the new one, in whichever order.
      assert.strictEqual(contents("log"), "x")
    }).pipe(within("the answer", "15 seconds")))

  it.scopedLive.each(["idempotency", "native"])(
    "is no answer to a call without a key: %s is hidden",
    (hides) =>
      Effect.gen(function*() {
        const { connection, contents, gateway, proxy, write } = yield* standing({ hides })
        write("one", "the right one")
        const client = yield* clientThrough(proxy, gateway.key, { heartbeat: "500 millis" })
        const old = yield* connection(0)
        old.hold("toClient")
        const reading = yield* Effect.fork(client.read("one"))
        const appending = yield* Effect.fork(Effect.flip(client.append("log", "x")))
        yield* until("the effect", Effect.sync(() => contents("log") === "x"))
        const error = yield* Fiber.join(appending)
        assert.strictEqual(error._tag, "OutcomeUnknown")
        assert.strictEqual(yield* Fiber.join(reading), "the right one")
        old.release("toClient")
        yield* Effect.sleep("300 millis")
        assert.strictEqual(contents("log"), "x")
      }).pipe(within("the answer", "15 seconds"))
  )
})
