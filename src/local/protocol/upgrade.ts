import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type IncomingMessage, STATUS_CODES } from "node:http"
import type { Duplex as NodeDuplex } from "node:stream"
import type { WebSocket, WebSocketServer } from "ws"
import { type Duplex, maximumFrameBytes } from "../../connection/Duplex.js"
import { duplexOf } from "../../connection/nodeWebSocket.js"
import { authenticate } from "./authenticate.js"
import { converse } from "./conversation.js"
import { refusalBody, refusalStatus } from "./httpApp.js"
import { requestUrl } from "./requestUrl.js"

// How many bytes may wait for a client before the gateway reads no more of what it asks.
const highWater = maximumFrameBytes

// How many may wait before the connection is ended: answers to what had been asked by then.
const maximumUnread = 8 * maximumFrameBytes

const paced = (duplex: Duplex, webSocket: WebSocket, socket: NodeDuplex): Duplex => {
  socket.on("drain", () => webSocket.resume())
  return {
    ...duplex,
    send: (text) => {
      const sent = duplex.send(text)
      if (socket.writableLength > maximumUnread) webSocket.terminate()
      else if (socket.writableLength > highWater) webSocket.pause()
      return sent
    }
  }
}

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
  Effect.async<Option.Option<{ readonly webSocket: WebSocket; readonly duplex: Duplex }>>((resume) => {
    const end = () => resume(Effect.succeedNone)
    if (socket.destroyed) return end()
    socket.once("close", end)
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off("close", end)
      resume(Effect.succeedSome({ webSocket, duplex: paced(duplexOf(webSocket), webSocket, socket) }))
    })
  })

// Lets the close frame out, and does not wait for ever for the other side's.
const end = (webSocket: WebSocket) =>
  Effect.async<void>((resume) => {
    if (webSocket.readyState === webSocket.CLOSED) return resume(Effect.void)
    webSocket.once("close", () => resume(Effect.void))
  }).pipe(
    // A finalizer is uninterruptible, and a timeout ends by interruption.
    Effect.interruptible,
    Effect.timeoutOption("1 second"),
    Effect.zipRight(Effect.sync(() => webSocket.terminate()))
  )

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
    const agent = yield* authenticate(request.headers, url)
    const opened = yield* upgraded(sockets, request, socket, head)
    if (Option.isNone(opened)) return
    const { duplex, webSocket } = opened.value
    yield* Effect.ensuring(converse(duplex, agent, "websocket"), end(webSocket))
  }).pipe(
    Effect.catchAll((error) => Effect.sync(() => refuseUpgrade(socket, refusalStatus(error), refusalBody(error)))),
    Effect.catchAllCause((cause) =>
      Effect.zipRight(Effect.logError("A connection failed", cause), Effect.sync(() => socket.destroy()))
    ),
    // Interrupted before the upgrade, nothing else would end the socket.
    Effect.onInterrupt(() => Effect.sync(() => socket.destroy()))
  )
