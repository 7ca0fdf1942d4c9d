import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import { createServer } from "node:http"
import { WebSocketServer } from "ws"
import { duplexOf } from "../../src/connection/nodeWebSocket.js"
import { type Handler, serveOn, type ServerSide } from "./scriptedGateway.js"

/** An HTTP server on a free port of this machine; it ends with the scope, and so do its connections. */
const listening = (onRequest: RequestListener) =>
  Effect.acquireRelease(
    Effect.async<{ readonly server: ReturnType<typeof createServer>; readonly port: number }>((resume) => {
      const server = createServer(onRequest)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(
          address === null || typeof address === "string"
            ? Effect.dieMessage("the server has no port")
            : Effect.succeed({ server, port: address.port })
        )
      })
    }),
    ({ server }) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )

export interface SocketServer {
  readonly host: string
  readonly connections: ReadonlyArray<ServerSide>
  /** The requests to upgrade, refused ones too. */
  readonly upgrades: ReadonlyArray<{ readonly url: string; readonly authorization: string | undefined }>
  /** Ends every connection without a word. */
  readonly terminate: () => void
}

interface SocketServerOptions {
  /** What an upgrade is refused with; undefined accepts. Default: 401 for any key but this, by header or by query. */
  readonly key?: string
  readonly refuseWith?: (request: IncomingMessage) => number | undefined
  readonly onRequest?: RequestListener
}

const refusing = (key: string) => ({ headers, url }: IncomingMessage) => {
  const token = new URL(url ?? "", "http://localhost").searchParams.get("token")
  return headers.authorization === `Bearer ${key}` || token === key ? undefined : 401
}

/** A gateway on a real socket whose every connection is served by the handler. */
export const socketServer = (
  handler: Handler,
  { key = "", onRequest, refuseWith = refusing(key) }: SocketServerOptions
): Effect.Effect<SocketServer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const connections: Array<ServerSide> = []
    const upgrades: Array<{ readonly url: string; readonly authorization: string | undefined }> = []
    const { port, server } = yield* listening((request, response) => {
      if (onRequest !== undefined) return onRequest(request, response)
      response.writeHead(refuseWith(request) ?? 404).end()
    })
    const sockets = new WebSocketServer({ noServer: true })
    yield* Effect.addFinalizer(() => Effect.sync(() => sockets.clients.forEach((socket) => socket.terminate())))
    server.on("upgrade", (request, socket, head) => {
      upgrades.push({ url: request.url ?? "", authorization: request.headers.authorization })
      const status = refuseWith(request)
      if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)
      sockets.handleUpgrade(request, socket, head, (accepted) => {
        connections.push(serveOn(duplexOf(accepted), handler))
      })
    })
    return {
      host: `127.0.0.1:${port}`,
      connections,
      upgrades,
      terminate: () => sockets.clients.forEach((socket) => socket.terminate())
    }
  })

export interface RpcRequest {
  readonly text: string
  readonly authorization: string | undefined
}

export interface RpcServer {
  readonly host: string
  readonly requests: ReadonlyArray<RpcRequest>
  /** How many requests their clients have given up. */
  readonly aborted: () => number
}

/** A server of `/rpc` that gives each request and its body to the handler. */
export const rpcServer = (
  handler: (text: string, response: ServerResponse, request: IncomingMessage) => void
): Effect.Effect<RpcServer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const requests: Array<RpcRequest> = []
    let aborted = 0
    const { port } = yield* listening((request, response) => {
      response.on("close", () => {
        if (!response.writableFinished) aborted++
      })
      let text = ""
      request.setEncoding("utf8").on("data", (chunk) => {
        text += String(chunk)
      }).on("end", () => {
        requests.push({ text, authorization: request.headers.authorization })
        handler(text, response, request)
      })
    })
    return { host: `http://127.0.0.1:${port}`, requests, aborted: () => aborted }
  })

/** A port of this machine on which nobody listens. */
export const closedPort: Effect.Effect<number> = Effect.scoped(Effect.map(listening(() => {}), ({ port }) => port))
