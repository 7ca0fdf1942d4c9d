import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { WebSocketServer } from "ws"
import type { CloseInfo, Duplex, DuplexHandlers } from "../../src/connection/Duplex.js"
import * as NodeDial from "../../src/connection/nodeDial.js"
import * as Peer from "../../src/connection/Peer.js"
import * as SocketLink from "../../src/connection/socketLink.js"
import { within } from "../support/deadline.js"
import { call, connectionOptions } from "./linkSupport.js"

/** A peer with a heartbeat of 10 s over a duplex that does only what the test says. */
const beating = (canPing: boolean) =>
  Effect.gen(function*() {
    const sent: Array<string> = []
    const closes: Array<CloseInfo> = []
    let pings = 0
    let aborts = 0
    let hasTakenBytes = false
    let handlers: DuplexHandlers | undefined
    const duplex: Duplex = {
      send: (text) => sent.push(text) > 0,
      bufferedBytes: () => 0,
      hasTakenBytes: () => hasTakenBytes,
      close: () => {},
      abort: () => {
        aborts++
        handlers?.onClose({ code: 1006, reason: "" })
      },
      ping: canPing
        ? () => {
          pings++
        }
        : undefined,
      listen: (given) => {
        handlers = given
      }
    }
    const peer = yield* Peer.make(duplex, () => ({
      onRequest: () => {},
      onNotification: () => {},
      onOther: () => {},
      onClose: (info) => closes.push(info)
    }))
    yield* Effect.forkScoped(peer.heartbeat(Duration.seconds(10)))
    yield* Effect.yieldNow()
    return {
      peer,
      sent,
      closes,
      pong: () => handlers?.onPong(),
      text: (text: string) => handlers?.onText(text),
      takesBytes: (does: boolean) => {
        hasTakenBytes = does
      },
      pings: () => pings,
      aborts: () => aborts
    }
  })

describe("the heartbeat of a peer", () => {
  it.scoped("finds within two intervals that nobody is there, and drops what waits", () =>
    Effect.gen(function*() {
      const { aborts, closes, peer, pings, pong } = yield* beating(true)
      pong()
      const waiting = yield* Effect.fork(Effect.flip(peer.request("m", {}, 60_000)))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual([pings(), aborts()], [2, 0])
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(aborts(), 1)
      assert.deepStrictEqual(closes, [{ code: 1006, reason: "no sign of life within 10s" }])
      assert.deepInclude(yield* Fiber.join(waiting), { _tag: "Dropped", sent: true })
    }))

  it.scoped("lets a connection live that answers, or that says anything", () =>
    Effect.gen(function*() {
      const { aborts, pong, text } = yield* beating(true)
      for (let round = 0; round < 50; round++) {
        if (round % 2 === 0) pong()
        else text("{\"jsonrpc\":\"2.0\",\"method\":\"anything\"}")
        yield* TestClock.adjust("10 seconds")
      }
      assert.strictEqual(aborts(), 0)
    }))

  it.scoped("lets a connection live whose other side takes what is sent, and no longer", () =>
    Effect.gen(function*() {
      const { aborts, takesBytes } = yield* beating(true)
      takesBytes(true)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(aborts(), 0)
      takesBytes(false)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(aborts(), 1)
    }))

  it.scoped("asks with MCP's ping where the platform has none", () =>
    Effect.gen(function*() {
      const { sent } = yield* beating(false)
      yield* TestClock.adjust("9 seconds")
      const [ping] = sent.map((text): unknown => JSON.parse(text))
      assert.deepInclude(ping, { jsonrpc: "2.0", method: "ping" })
    }))
})

describe("a socket that is half open", () => {
  it.scopedLive("is given up, and made anew", () =>
    Effect.gen(function*() {
      const server = yield* Effect.acquireRelease(
        Effect.async<WebSocketServer>((resume) => {
          const listening: WebSocketServer = new WebSocketServer({ port: 0, host: "127.0.0.1", autoPong: false }, () =>
            resume(Effect.succeed(listening)))
        }),
        (listening) =>
          Effect.sync(() => {
            for (const socket of listening.clients) {
              socket.terminate()
            }
            listening.close()
          })
      )
      const address = server.address()
      let connections = 0
      server.on("connection", (socket) => {
        const isSilent = ++connections === 1
        // The first connection says nothing after its session has begun, not even to a ping.
        if (!isSilent) {
          socket.on("ping", (data) =>
            socket.pong(data))
        }
        socket.on("message", (data) => {
          const { id, method }: { readonly id?: number; readonly method?: string } = JSON.parse(String(data))
          if (method === "initialize") {
            socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: { protocolVersion: "2024-11-05" } }))
          } else if (method === "m" && !isSilent) socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: "answer" }))
        })
      })
      const url = `ws://127.0.0.1:${typeof address === "object" ? address?.port : 0}/mcp`
      const link = yield* SocketLink.make(NodeDial.dial(url, Redacted.make("key")), {
        ...connectionOptions,
        heartbeat: Duration.millis(100),
        reconnect: Schedule.spaced("50 millis")
      })
      const answer = yield* within("the answer of the second connection", "5 seconds")(
        call(link, { replayable: true })
      )
      assert.strictEqual(answer, "answer")
      assert.strictEqual(connections, 2)
      const lost = yield* Effect.flip(call(link, { method: "never", timeoutMillis: 50 }))
      assert.strictEqual(lost._tag, "OutcomeUnknown")
    }))
})
