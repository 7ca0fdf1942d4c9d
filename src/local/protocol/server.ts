import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex as NodeDuplex } from "node:stream"
import { type WebSocket, WebSocketServer } from "ws"
import { type Duplex, maximumFrameBytes } from "../../connection/Duplex.js"
import { failureOf } from "../../connection/jsonRpc.js"
import { duplexOf } from "../../connection/nodeWebSocket.js"
import type { AuthenticationFailed } from "../../errors/gateway.js"
import { ResourceExhausted, type ServiceUnavailable } from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import { RpcCode } from "../../errors/wire.js"
import { authenticate } from "./authenticate.js"
import { converse } from "./conversation.js"
import { refuseError } from "./Refusal.js"
import * as Rpc from "./rpc.js"

/** The gateway cannot listen where it is asked to. */
export class ServeFailed extends Data.TaggedError("ServeFailed")<{
  readonly host: string
  readonly port: number
  readonly message: string
  readonly cause: unknown
}> {}

/** Where the gateway is to listen. Port 0 picks a free one. */
export interface Listen {
  readonly host: string
  readonly port: number
}

const refusalBody = (error: KruxosError): string => JSON.stringify(failureOf(null, refuseError(error).error))

const statusOf = (error: AuthenticationFailed | ServiceUnavailable) => error._tag === "AuthenticationFailed" ? 401 : 503

const json = (text: string, status: number, headers: { readonly [name: string]: string } = {}) =>
  HttpServerResponse.text(text, { status, contentType: "application/json", headers })

const refused = (error: AuthenticationFailed | ServiceUnavailable) =>
  json(refusalBody(error), statusOf(error), { "www-authenticate": "Bearer" })

const tooLarge = json(
  refusalBody(
    new ResourceExhausted({
      message: `A request has at most ${maximumFrameBytes} bytes`,
      resource: "message_bytes",
      limit: maximumFrameBytes
    })
  ),
  413
)

const notFound = json(JSON.stringify({ error: "There is nothing here: the gateway answers /mcp and /rpc" }), 404)

const onlyPost = json(JSON.stringify({ error: "/rpc answers POST" }), 405, { allow: "POST" })

const failed = json(
  JSON.stringify(failureOf(null, { code: RpcCode.internalError, message: "The gateway failed; its log says how" })),
  500
)

const headersOf = (request: HttpServerRequest.HttpServerRequest) => ({
  authorization: request.headers["authorization"]
})

const makeApp = Effect.gen(function*() {
  const answer = yield* Rpc.make
  const post = Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const agent = yield* authenticate(headersOf(request))
    if (Number(request.headers["content-length"] ?? 0) > maximumFrameBytes) return tooLarge
    const body = yield* request.text
    const text = yield* answer(agent, body)
    return text === undefined ? HttpServerResponse.empty({ status: 204 }) : json(text, 200)
  }).pipe(
    HttpIncomingMessage.withMaxBodySize(Option.some(FileSystem.Size(maximumFrameBytes))),
    Effect.catchTags({
      AuthenticationFailed: (error) => Effect.succeed(refused(error)),
      ServiceUnavailable: (error) => Effect.succeed(refused(error)),
      RequestError: () => Effect.succeed(tooLarge)
    })
  )
  return Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const { pathname } = new URL(request.url, "http://gateway")
    if (pathname !== "/rpc") return notFound
    return request.method === "POST" ? yield* post : onlyPost
  }).pipe(
    Effect.catchAllCause((cause) => Effect.as(Effect.logError("An HTTP request failed", cause), failed))
  )
})

const listen = (server: Server, { host, port }: Listen) =>
  Effect.async<AddressInfo, ServeFailed>((resume) => {
    const onError = (cause: Error) =>
      resume(Effect.fail(
        new ServeFailed({ host, port, message: `Cannot listen on ${host}:${port}: ${cause.message}`, cause })
      ))
    server.once("error", onError)
    server.listen({ host, port }, () => {
      server.off("error", onError)
      const address = server.address()
      resume(
        address === null || typeof address === "string"
          ? Effect.dieMessage("a TCP server has an address of host and port")
          : Effect.succeed(address)
      )
    })
  })

const closeServer = (server: Server) =>
  Effect.async<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

// Written by hand because there is no response object for a request to upgrade.
const refuseUpgrade = (socket: NodeDuplex, status: number, body: string) => {
  const headers = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "connection: close",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ["www-authenticate: Bearer"] : [])
  ]
  socket.end(`${headers.join("\r\n")}\r\n\r\n${body}`)
}

const upgraded = (sockets: WebSocketServer, request: IncomingMessage, socket: NodeDuplex, head: Buffer) =>
  Effect.async<{ readonly webSocket: WebSocket; readonly duplex: Duplex }>((resume) => {
    sockets.handleUpgrade(
      request,
      socket,
      head,
      (webSocket) => resume(Effect.succeed({ webSocket, duplex: duplexOf(webSocket) }))
    )
  })

// Lets the close frame out, and does not wait for ever for the other side's.
const end = (webSocket: WebSocket) =>
  Effect.async<void>((resume) => {
    if (webSocket.readyState === webSocket.CLOSED) return resume(Effect.void)
    webSocket.once("close", () => resume(Effect.void))
  }).pipe(
    Effect.timeoutOption("1 second"),
    Effect.zipRight(Effect.sync(() => webSocket.terminate()))
  )

const onUpgrade = (sockets: WebSocketServer, request: IncomingMessage, socket: NodeDuplex, head: Buffer) =>
  Effect.gen(function*() {
    socket.on("error", () => socket.destroy())
    const url = new URL(request.url ?? "/", "http://gateway")
    if (url.pathname !== "/mcp") {
      return refuseUpgrade(socket, 404, JSON.stringify({ error: "The WebSocket is at /mcp" }))
    }
    const agent = yield* authenticate(request.headers, url)
    const { duplex, webSocket } = yield* upgraded(sockets, request, socket, head)
    yield* Effect.ensuring(converse(duplex, agent, "websocket"), end(webSocket))
  }).pipe(
    Effect.catchAll((error) => Effect.sync(() => refuseUpgrade(socket, statusOf(error), refusalBody(error)))),
    Effect.catchAllCause((cause) => Effect.logError("A connection failed", cause))
  )

/**
 * Serves the gateway on one port until the scope ends: the WebSocket at `/mcp`, JSON-RPC at `/rpc`. A key that is not known
 * is answered 401 before anything else. Fails with ServeFailed where the port cannot be had.
 */
export const serve = Effect.fnUntraced(function*(where: Listen) {
  const server = yield* Effect.acquireRelease(Effect.sync(() => createServer()), closeServer)
  const handler = yield* NodeHttpServer.makeHandler(yield* makeApp)
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maximumFrameBytes, perMessageDeflate: false })
  const run = yield* FiberSet.makeRuntime<Effect.Effect.Context<ReturnType<typeof onUpgrade>>>()
  server.on("request", handler)
  server.on("upgrade", (request: IncomingMessage, socket: NodeDuplex, head: Buffer) => {
    run(onUpgrade(sockets, request, socket, head))
  })
  return yield* listen(server, where)
})
