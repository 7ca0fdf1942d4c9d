import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type IncomingMessage, STATUS_CODES } from "node:http"
import { Socket } from "node:net"
import type { Duplex as NodeDuplex } from "node:stream"
import type { WebSocket, WebSocketServer } from "ws"
import { duplexOf } from "../../connection/nodeWebSocket.js"
import { authenticate } from "./authenticate.js"
import { converse } from "./conversation.js"
import { Drain, shuttingDown } from "./drain.js"
import { refusalBody, refusalStatus } from "./httpApp.js"
import { type Paced, paced } from "./paced.js"
import { requestUrl } from "./requestUrl.js"

// Written by hand because there is no response object for a request to upgrade.
const refuseUpgrade = (socket: NodeDuplex, status: number, body: string) => {
  const headers = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "connection: close",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ["www-authenticate: Bearer"] : [])
  ]
  socket.end(`${headers.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy())
}

// None where the client asks for what is no WebSocket, and has been told, or has gone away.
const upgraded = (sockets: WebSocketServer, request: IncomingMessage, socket: NodeDuplex, head: Buffer) =>
  Effect.async<Option.Option<Paced & { readonly webSocket: WebSocket }>>((resume) => {
    const end = () => resume(Effect.succeedNone)
    if (socket.destroyed) return end()
    socket.once("close", end)
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off("close", end)
      const duplex = duplexOf(webSocket, socket instanceof Socket ? socket : undefined)
      resume(Effect.succeedSome({ ...paced(duplex, webSocket, socket), webSocket }))
    })
  })

// Lets the close frame out, and does not wait for ever for the other side's.
const end = (webSocket: WebSocket, atMost: Duration.Duration) =>
  Effect.async<void>((resume) => {
    if (webSocket.readyState === webSocket.CLOSED) return resume(Effect.void)
    webSocket.once("close", () => resume(Effect.void))
  }).pipe(
    // A finalizer is uninterruptible, and a timeout ends by interruption.
    Effect.interruptible,
    Effect.timeoutOption(atMost),
    Effect.zipRight(Effect.sync(() => webSocket.terminate()))
  )

// What is unread goes out before the close frame.
const endOfSlow = Duration.seconds(5)

const endOfOthers = Duration.seconds(1)

/**
 * Upgrades a request to a WebSocket and speaks with the agent until it closes, or until it is interrupted. A request that is
 * not for `/mcp`, or has no good key, is answered with an HTTP error.
 */
export const onUpgrade = (sockets: WebSocketServer, request: IncomingMessage, socket: NodeDuplex, head: Buffer) =>
  Effect.gen(function*() {
    socket.on("error", () => socket.destroy())
    const url = requestUrl(request.url)
    if (url?.pathname !== "/mcp") {
      return refuseUpgrade(socket, 404, JSON.stringify({ error: "The WebSocket is at /mcp" }))
    }
    const drain = yield* Drain
    if (drain.isDraining()) return refuseUpgrade(socket, refusalStatus(shuttingDown), refusalBody(shuttingDown))
    const agent = yield* authenticate(request.headers, url)
    const opened = yield* upgraded(sockets, request, socket, head)
    if (Option.isNone(opened)) return
    const { cut, duplex, webSocket } = opened.value
    const tooSlow = Effect.flatMap(Deferred.await(cut), (unread) =>
      Effect.as(
        Effect.logWarning(`Agent ${agent.name} is cut off: it has left ${unread} bytes of answers unread`),
        endOfSlow
      ))
    yield* Effect.raceFirst(Effect.as(converse(duplex, agent, "websocket"), endOfOthers), tooSlow).pipe(
      Effect.flatMap((atMost) => end(webSocket, atMost)),
      Effect.onError(() => end(webSocket, endOfOthers))
    )
  }).pipe(
    Effect.catchAll((error) => Effect.sync(() => refuseUpgrade(socket, refusalStatus(error), refusalBody(error)))),
    Effect.catchAllCause((cause) =>
      Effect.zipRight(Effect.logError("A connection failed", cause), Effect.sync(() => socket.destroy()))
    ),
    // Interrupted before the upgrade, nothing else would end the socket.
    Effect.onInterrupt(() => Effect.sync(() => socket.destroy()))
  )
