import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import { Socket } from "node:net"
import { WebSocket, WebSocketServer } from "ws"
import type { CloseInfo, Duplex } from "../../src/connection/Duplex.js"
import { duplexOf } from "../../src/connection/nodeWebSocket.js"
import { until } from "../support/deadline.js"

interface End {
  readonly duplex: Duplex
  readonly stream: () => Socket | undefined
  readonly texts: ReadonlyArray<string>
  readonly closes: ReadonlyArray<CloseInfo>
}

const endOf = (duplex: Duplex, stream: () => Socket | undefined): End => {
  const texts: Array<string> = []
  const closes: Array<CloseInfo> = []
  duplex.listen({
    onText: (text) => texts.push(text),
    onBinary: () => {},
    onPong: () => {},
    onClose: (info) => closes.push(info)
  })
  return { duplex, stream, texts, closes }
}

/** Both ends of a WebSocket over TCP. */
const pair = Effect.acquireRelease(
  Effect.async<{ readonly client: End; readonly server: End; readonly close: () => void }>((resume) => {
    const listening = createServer()
    const sockets = new WebSocketServer({ noServer: true })
    listening.listen(0, "127.0.0.1", () => {
      const address = listening.address()
      const webSocket = new WebSocket(`ws://127.0.0.1:${typeof address === "object" ? address?.port : 0}`)
      let below: Socket | undefined
      const client = endOf(duplexOf(webSocket), () => below)
      webSocket.once("upgrade", (response) => {
        below = response.socket
      })
      listening.on("upgrade", (request, stream, head) =>
        sockets.handleUpgrade(request, stream, head, (accepted) => {
          const socket = stream instanceof Socket ? stream : undefined
          const server = endOf(duplexOf(accepted, socket), () => socket)
          const close = () => {
            webSocket.terminate()
            accepted.terminate()
            listening.close()
          }
          webSocket.once("open", () => resume(Effect.succeed({ client, server, close })))
        }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

const numbered = Array.from({ length: 100 }, (_, index) => `frame ${index}`)

describe("the frames of one tick", () => {
  it.scopedLive("go out in two writes, the first at once, and arrive in order", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair
      for (const [from, to] of [[client, server], [server, client]] as const) {
        const stream = from.stream()
        assert(stream !== undefined)
        let writes = 0
        const write = stream._writev?.bind(stream)
        stream._writev = (chunks, done) => {
          writes++
          write?.(chunks, done)
        }
        from.duplex.send("before")
        assert.strictEqual(writes, 1)
        yield* until("the one", Effect.sync(() => to.texts.length === 1))
        for (const text of numbered) from.duplex.send(text)
        yield* until("all", Effect.sync(() => to.texts.length === 101))
        assert.deepStrictEqual(to.texts, ["before", ...numbered])
        assert.strictEqual(writes, 3)
      }
    }))

  it.scopedLive("arrive before the close that follows them", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair
      for (const text of numbered) client.duplex.send(text)
      client.duplex.close(1000, "done")
      assert.isFalse(client.duplex.send("too late"))
      yield* until("the close", Effect.sync(() => server.closes.length === 1 && client.closes.length === 1))
      assert.deepStrictEqual(server.texts, numbered)
      assert.deepStrictEqual(server.closes, [{ code: 1000, reason: "done" }])
    }))

  it.scopedLive("count as buffered until they are written", () =>
    Effect.gen(function*() {
      const { client } = yield* pair
      for (const text of numbered) client.duplex.send(text)
      assert.isAbove(client.duplex.bufferedBytes(), numbered.join("").length / 2)
      yield* until("the writes", Effect.sync(() => client.duplex.bufferedBytes() === 0))
    }))

  it.scopedLive("do no harm to a socket that is gone", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair
      for (const text of numbered) client.duplex.send(text)
      client.duplex.abort()
      yield* until("the close", Effect.sync(() => server.closes.length === 1 && client.closes.length === 1))
      assert.strictEqual(server.closes[0]?.code, 1006)
    }))
})

describe("a sign that bytes are taken", () => {
  it.scopedLive("is there while the other side takes them, and not when nothing waits or nothing moves", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair
      const hasTakenBytes = () => client.duplex.hasTakenBytes?.() ?? false
      assert.isFalse(hasTakenBytes())
      client.duplex.send("small")
      yield* until("the frame", Effect.sync(() => server.texts.length === 1))
      assert.isFalse(hasTakenBytes())
      server.stream()?.pause()
      for (let count = 0; count < 16; count++) client.duplex.send("x".repeat(1024 * 1024))
      // What the system itself takes is over soon.
      yield* until("stillness", Effect.delay(Effect.sync(() => !hasTakenBytes()), "50 millis"))
      yield* Effect.sleep("100 millis")
      assert.isFalse(hasTakenBytes())
      server.stream()?.resume()
      yield* until("progress", Effect.sync(hasTakenBytes))
      yield* until("all", Effect.sync(() => server.texts.length === 17))
    }))
})
