import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { connect, createServer, type Socket } from "node:net"
import { WebSocket, WebSocketServer } from "ws"
import { until, within } from "../support/deadline.js"
import * as FaultProxy from "../support/faultProxy.js"
import { type Fault, serve } from "../support/faultProxyScript.js"

interface Seen {
  readonly bytes: () => Buffer
  readonly how: () => "open" | "end" | "reset"
}

const seenOn = (socket: Socket): Seen => {
  let bytes = Buffer.alloc(0)
  let how: ReturnType<Seen["how"]> = "open"
  socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
  })
  socket.on("end", () => {
    how = "end"
  })
  socket.on("error", () => {
    how = "reset"
  })
  return { bytes: () => bytes, how: () => how }
}

const listening = (onSocket: (socket: Socket) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
        const sockets = new Set<Socket>()
        const server = createServer({ allowHalfOpen: true }, (socket) => {
          sockets.add(socket)
          onSocket(socket)
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const close = () => {
            server.close()
            sockets.forEach((socket) => socket.destroy())
          }
          resume(
            address === null || typeof address === "string"
              ? Effect.dieMessage("the server has no port")
              : Effect.succeed({ port: address.port, close })
          )
        })
      }),
      ({ close }) => Effect.sync(close)
    ),
    ({ port }) => port
  )

/** A client and a server whose bytes go through a proxy with these faults. */
const through = (...faults: ReadonlyArray<Fault>) =>
  Effect.gen(function*() {
    const servers: Array<Seen & { readonly socket: Socket }> = []
    const target = yield* listening((socket) => servers.push({ ...seenOn(socket), socket }))
    const proxy = yield* FaultProxy.make(target, { steps: [serve(...faults)] })
    const socket = yield* Effect.acquireRelease(
      Effect.sync(() => connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true })),
      (made) => Effect.sync(() => made.destroy())
    )
    const client = { ...seenOn(socket), socket }
    yield* until("the connection", Effect.sync(() => servers.length === 1))
    const [server] = servers
    return server === undefined ? yield* Effect.dieMessage("nobody came") : { client, server, proxy }
  })

const isSo = (what: string, so: () => boolean) => until(what, Effect.sync(so))

const letters = "abcdefghijklmnopqrstuvwxyz"

describe("the fault proxy", () => {
  it.scopedLive("forwards everything, both ways, and both ends", () =>
    Effect.gen(function*() {
      const { client, proxy, server } = yield* through()
      const large = Buffer.alloc(3_000_000, letters)
      client.socket.write(large)
      yield* isSo("the bytes", () => server.bytes().length === large.length)
      assert.isTrue(server.bytes().equals(large))
      client.socket.end()
      yield* isSo("the end", () => server.how() === "end")
      server.socket.end(`HTTP/1.1 101 X\r\n\r\n`)
      yield* isSo("the other end", () => client.how() === "end")
      assert.strictEqual(client.bytes().toString(), "HTTP/1.1 101 X\r\n\r\n")
      yield* isSo("nobody left", () => proxy.clients() === 0)
    }))

  for (const how of ["reset", "end"] as const) {
    for (const afterBytes of [0, 1, 10, 26]) {
      it.scopedLive(`cuts after ${afterBytes} bytes: ${how}`, () =>
        Effect.gen(function*() {
          const { client, proxy, server } = yield* through({ _tag: "Cut", direction: "toServer", afterBytes, how })
          client.socket.write(letters)
          // A system may tell of a reset as of an end where bytes came just before it.
          yield* isSo("the end", () => server.how() !== "open" && client.how() === how)
          if (how === "end") assert.strictEqual(server.how(), "end")
          assert.strictEqual(server.bytes().toString(), letters.slice(0, afterBytes))
          client.socket.destroy()
          yield* isSo("nobody left", () => proxy.clients() === 0)
        }))
    }
  }

  it.scopedLive("truncates a chunk to the client, and ends", () =>
    Effect.gen(function*() {
      const { client, server } = yield* through({ _tag: "Truncate", direction: "toClient", chunk: 0, keep: 3 })
      server.socket.write("HTTP/1.1 400 X\r\n\r\n")
      yield* isSo("the end", () => client.how() === "end")
      assert.strictEqual(client.bytes().toString(), "HTT")
    }))

  it.scopedLive("swallows what comes after some bytes, and leaves the sockets open", () =>
    Effect.gen(function*() {
      const { client, server } = yield* through({ _tag: "Blackhole", direction: "toServer", afterBytes: 5, both: true })
      client.socket.write(letters)
      yield* isSo("some bytes", () => server.bytes().length === 5)
      server.socket.write("HTTP/1.1 400 X\r\n\r\n")
      yield* Effect.sleep("50 millis")
      assert.deepStrictEqual([client.how(), server.how()], ["open", "open"])
      assert.strictEqual(client.bytes().length, 0)
      assert.strictEqual(server.bytes().length, 5)
    }))

  it.scopedLive.each(["client", "server"] as const)(
    "leaves the %s alone on an open socket",
    (side) =>
      Effect.gen(function*() {
        const both = yield* through({ _tag: "HalfOpen", direction: "toServer", afterBytes: 5, open: side })
        both.client.socket.write(letters)
        const gone = side === "client" ? both.server : both.client
        yield* isSo("the reset", () => gone.how() !== "open")
        yield* Effect.sleep("50 millis")
        assert.strictEqual(both[side].how(), "open")
      })
  )

  it.scopedLive("delays, trickles, and loses nothing of it", () =>
    Effect.gen(function*() {
      const { client, server } = yield* through(
        { _tag: "Delay", direction: "toServer", milliseconds: 60, jitter: 20 },
        { _tag: "Trickle", direction: "toServer", bytes: 1, pieces: 20 }
      )
      const start = yield* Clock.currentTimeMillis
      client.socket.write(letters)
      yield* isSo("the letters", () => server.bytes().length === letters.length)
      assert.isAtLeast((yield* Clock.currentTimeMillis) - start, 55)
      assert.strictEqual(server.bytes().toString(), letters)
    }))

  it.scopedLive("holds back until it is told, and refuses for a while after the end", () =>
    Effect.gen(function*() {
      const { client, proxy, server } = yield* through()
      const [connection] = proxy.connections
      connection?.hold("toServer")
      client.socket.write(letters)
      yield* isSo("the letters in the proxy", () => connection?.held("toServer") === letters.length)
      yield* Effect.sleep("20 millis")
      assert.strictEqual(server.bytes().length, 0)
      connection?.release("toServer")
      yield* isSo("the letters", () => server.bytes().length === letters.length)
    }))

  it.scopedLive("is not there for a while after a connection that says so, unless it is healed", () =>
    Effect.gen(function*() {
      const target = yield* listening((socket) => socket.on("error", () => {}))
      const proxy = yield* FaultProxy.make(target, { steps: [{ _tag: "Serve", faults: [], refuseAfter: 60_000 }] })
      const dial = Effect.async<"connected" | "refused">((resume) => {
        const socket = connect({ port: proxy.port, host: "127.0.0.1" })
        socket.on("connect", () => {
          socket.destroy()
          resume(Effect.succeed("connected"))
        })
        socket.on("error", () => resume(Effect.succeed("refused")))
      })
      assert.strictEqual(yield* dial, "connected")
      yield* until("the refusal", Effect.map(dial, (how) => how === "refused"))
      proxy.heal()
      yield* until("the return", Effect.map(dial, (how) => how === "connected"))
    }))
})

/** What a client hears through a proxy of a server that says 0, 1, 2 … and one long text, and then closes. */
const heard = (count: number, ...faults: ReadonlyArray<Fault>) =>
  Effect.gen(function*() {
    const long = "x".repeat(70_000)
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => new WebSocketServer({ port: 0, host: "127.0.0.1" })),
      (made) => Effect.sync(() => made.close())
    )
    server.on("connection", (socket) => {
      for (let index = 0; index < count; index++) socket.send(`${index}`)
      socket.send(JSON.stringify(long))
      socket.close(1000)
    })
    yield* Effect.async<void>((resume) => void server.once("listening", () => resume(Effect.void)))
    const address = server.address()
    if (typeof address === "string" || address === null) return yield* Effect.dieMessage("the server has no port")
    const proxy = yield* FaultProxy.make(address.port, { steps: [serve(...faults)] })
    return yield* Effect.async<ReadonlyArray<unknown>>((resume) => {
      const messages: Array<unknown> = []
      const socket = new WebSocket(proxy.url)
      socket.on("message", (data: Buffer) => {
        const message: unknown = JSON.parse(String(data))
        messages.push(message === long ? "long" : message)
      })
      socket.on("close", () => resume(Effect.succeed(messages)))
    })
  }).pipe(within("the messages"))

describe("the frames of the fault proxy", () => {
  it.scopedLive("are all there, with nothing to do and with everything trickling", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* heard(3), [0, 1, 2, "long"])
      assert.deepStrictEqual(
        yield* heard(3, { _tag: "Trickle", direction: "toClient", bytes: 1, pieces: 200 }),
        [0, 1, 2, "long"]
      )
    }))

  it.scopedLive("are doubled", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* heard(3, { _tag: "Duplicate", every: 2 }), [0, 1, 1, 2, "long", "long"])
    }))

  it.scopedLive("are turned round, and what is kept goes on in time and before the close", () =>
    Effect.gen(function*() {
      const fault: Fault = { _tag: "Reorder", window: 2, milliseconds: 10_000 }
      assert.deepStrictEqual(yield* heard(4, fault), [2, 1, 0, "long", 3])
    }))

  it.scopedLive("come with others among them", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* heard(2, { _tag: "Flood", afterFrames: 1, messages: 2, kind: "repeats" }),
        [0, 1, 1, 1, "long"]
      )
    }))
})
