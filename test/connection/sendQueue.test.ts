import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { WebSocketServer } from "ws"
import type { Dial, Duplex, DuplexHandlers } from "../../src/connection/Duplex.js"
import * as NodeDial from "../../src/connection/nodeDial.js"
import * as Peer from "../../src/connection/Peer.js"
import * as SocketLink from "../../src/connection/socketLink.js"
import { until, within } from "../support/deadline.js"
import { at } from "../support/json.js"
import { settled } from "../support/scriptedGateway.js"
import { call, connectionOptions } from "./linkSupport.js"

const limit = 1000

/** A peer over a duplex that takes frames, and holds as many bytes as the test says. */
const clogged = Effect.gen(function*() {
  const sent: Array<unknown> = []
  let buffered = 0
  let handlers: DuplexHandlers | undefined
  const duplex: Duplex = {
    send: (text) => {
      buffered += text.length
      return sent.push(JSON.parse(text)) > 0
    },
    bufferedBytes: () => buffered,
    close: () => {},
    abort: () => {},
    ping: undefined,
    listen: (given) => {
      handlers = given
    }
  }
  const peer = yield* Peer.make(
    duplex,
    () => ({ onRequest: () => {}, onNotification: () => {}, onOther: () => {}, onClose: () => {} }),
    limit
  )
  return {
    peer,
    methods: () => sent.map((message) => at(message, "method")),
    holds: (bytes: number) => {
      buffered = bytes
    },
    answer: (id: number) => handlers?.onText(JSON.stringify({ jsonrpc: "2.0", id, result: id })),
    close: () => handlers?.onClose({ code: 1006, reason: "cut" }),
    asks: (method: string, params: unknown = {}, timeoutMillis = 10_000) =>
      Effect.tap(Effect.fork(Effect.either(peer.request(method, params, timeoutMillis))), settled)
  }
})

const moment = Effect.zipRight(TestClock.adjust("10 millis"), settled)

describe("the send queue", () => {
  it.scoped("holds requests back, unwritten, until half of it is free, and sends them in order", () =>
    Effect.gen(function*() {
      const { answer, asks, holds, methods } = yield* clogged
      let written = 0
      const params = {
        toJSON: () => {
          written++
          return { text: "x".repeat(300) }
        }
      }
      holds(limit)
      yield* asks("first", params)
      assert.deepStrictEqual(methods(), ["first"])
      const fibers = yield* Effect.forEach(["a", "b", "c", "d"], (method) => asks(method, params))
      yield* moment
      assert.deepStrictEqual([methods(), written], [["first"], 1])
      holds(limit / 2 + 1)
      yield* moment
      assert.strictEqual(written, 1)
      // Whoever comes now does not overtake those who wait.
      const last = yield* asks("e", params)
      holds(limit / 2)
      yield* moment
      assert.deepStrictEqual(methods(), ["first", "a", "b"])
      holds(0)
      yield* moment
      assert.deepStrictEqual(methods(), ["first", "a", "b", "c", "d", "e"])
      for (let id = 2; id <= 6; id++) answer(id)
      const answers = yield* Effect.forEach([...fibers, last], (fiber) => Effect.flatten(Fiber.join(fiber)))
      assert.deepStrictEqual(answers, [2, 3, 4, 5, 6])
    }))

  it.scoped("lets nobody wait beyond the deadline, and tells nobody of what was not sent", () =>
    Effect.gen(function*() {
      const { asks, holds, methods } = yield* clogged
      const sent = yield* asks("sent", {}, 500)
      holds(limit + 1)
      const waiting = yield* asks("waiting", {}, 1000)
      const other = yield* asks("other", {}, 2000)
      yield* TestClock.adjust("500 millis")
      assert.deepInclude(yield* Effect.flip(Effect.flatten(Fiber.join(sent))), {
        _tag: "DeadlinePassed",
        timeoutMillis: 500,
        sent: true
      })
      assert.deepStrictEqual(methods(), ["sent", "notifications/cancelled"])
      yield* TestClock.adjust("499 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
      yield* TestClock.adjust("1 millis")
      assert.deepInclude(yield* Effect.flip(Effect.flatten(Fiber.join(waiting))), {
        _tag: "DeadlinePassed",
        timeoutMillis: 1000,
        sent: false
      })
      holds(0)
      yield* moment
      assert.deepStrictEqual(methods(), ["sent", "notifications/cancelled", "other"])
      yield* Fiber.interrupt(other)
    }))

  it.scoped("forgets who gives up", () =>
    Effect.gen(function*() {
      const { asks, holds, methods } = yield* clogged
      holds(limit + 1)
      const [first, second] = [yield* asks("first"), yield* asks("second")]
      yield* Fiber.interrupt(first)
      holds(0)
      yield* moment
      assert.deepStrictEqual(methods(), ["second"])
      yield* Fiber.interrupt(second)
      assert.deepStrictEqual(methods(), ["second", "notifications/cancelled"])
    }))

  it.scoped("drops what waits, as not sent, with the connection", () =>
    Effect.gen(function*() {
      const { asks, close, holds, methods } = yield* clogged
      holds(limit + 1)
      const waiting = yield* asks("waiting")
      close()
      assert.deepInclude(yield* Effect.flip(Effect.flatten(Fiber.join(waiting))), { _tag: "Dropped", sent: false })
      holds(0)
      yield* moment
      assert.deepStrictEqual(methods(), [])
    }))

  it.scoped("refuses what is no JSON when its turn comes, and goes on", () =>
    Effect.gen(function*() {
      const { asks, holds, methods } = yield* clogged
      holds(limit + 1)
      const bad = yield* asks("bad", { n: 1n })
      const good = yield* asks("good")
      holds(0)
      yield* moment
      assert.strictEqual((yield* Effect.flip(Effect.flatten(Fiber.join(bad))))._tag, "Unsendable")
      assert.deepStrictEqual(methods(), ["good"])
      yield* Fiber.interrupt(good)
    }))

  it.scoped("has a timer only while something waits", () =>
    Effect.gen(function*() {
      const { asks, holds } = yield* clogged
      const sleeps = Effect.map(TestClock.sleeps(), Chunk.size)
      yield* settled
      assert.strictEqual(yield* sleeps, 0)
      holds(limit + 1)
      const fibers = [yield* asks("one", {}, Infinity), yield* asks("two", {}, Infinity)]
      assert.strictEqual(yield* sleeps, 1)
      holds(0)
      yield* moment
      assert.strictEqual(yield* sleeps, 0)
      yield* Fiber.interruptAll(fibers)
    }))
})

const mebibyte = 1024 * 1024

/** A gateway on a real socket, and what makes it stop reading. */
const deafGateway = Effect.acquireRelease(
  Effect.async<{ readonly server: WebSocketServer; readonly url: string }>((resume) => {
    const server: WebSocketServer = new WebSocketServer({ port: 0, host: "127.0.0.1" }, () => {
      const address = server.address()
      resume(Effect.succeed({ server, url: `ws://127.0.0.1:${typeof address === "object" ? address?.port : 0}/mcp` }))
    })
    server.on("connection", (socket) => {
      socket.on("message", (data) => {
        const { id, method }: { readonly id?: number; readonly method?: string } = JSON.parse(String(data))
        if (id === undefined) return
        const result = method === "initialize" ? { protocolVersion: "2024-11-05" } : "read"
        socket.send(JSON.stringify({ jsonrpc: "2.0", id, result }))
        if (method === "initialize") socket.pause()
      })
    })
  }),
  ({ server }) =>
    Effect.sync(() => {
      server.clients.forEach((socket) => socket.terminate())
      server.close()
    })
)

describe("a gateway that does not read", () => {
  it.scopedLive(
    "makes calls wait, not memory grow, and gets them all when it reads again",
    () =>
      Effect.gen(function*() {
        const { server, url } = yield* deafGateway
        let duplex: Duplex | undefined
        let most = 0
        const dial: Dial = Effect.map(NodeDial.dial(url, Redacted.make("key")), (dialled) => {
          duplex = dialled
          return {
            ...dialled,
            send: (text) => {
              const sent = dialled.send(text)
              most = Math.max(most, dialled.bufferedBytes())
              return sent
            }
          }
        })
        const link = yield* SocketLink.make(dial, { ...connectionOptions, sendQueueBytes: 4 * mebibyte })
        const text = "x".repeat(mebibyte)
        const asked = yield* Effect.fork(Effect.forEach(
          Array.from({ length: 64 }),
          () =>
            link.call(
              { operation: "m", timeoutMillis: 20_000, replayable: false },
              (channel, left) => channel.request("m", { text }, left)
            ),
          { concurrency: "unbounded" }
        ))
        yield* until("a full queue", Effect.sync(() => (duplex?.bufferedBytes() ?? 0) > 4 * mebibyte))
        // A call that waited for nothing but this has not been sent, and says so.
        const late = yield* Effect.flip(call(link, { timeoutMillis: 100 }))
        assert.strictEqual(late._tag, "GatewayTimeout")
        server.clients.forEach((socket) => socket.resume())
        assert.deepStrictEqual(
          new Set(yield* within("the answers", "20 seconds")(Fiber.join(asked))),
          new Set(["read"])
        )
        assert.isBelow(most, 6 * mebibyte)
      }),
    30_000
  )
})
