import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex as NodeDuplex } from "node:stream"
import { WebSocketServer } from "ws"
import { maximumFrameBytes } from "../../connection/Duplex.js"
import { Drain } from "./drain.js"
import * as HttpApp from "./httpApp.js"
import { onUpgrade } from "./upgrade.js"

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

/** How to serve, besides. */
export interface Serve extends Listen, HttpApp.HttpOptions {
  /** How long requests that run when the scope ends may take to finish. */
  readonly gracePeriod: Duration.Duration
}

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

/**
 * Serves the gateway on one port until the scope ends: the WebSocket at `/mcp`, JSON-RPC at `/rpc`, supervisors at `/api` and their
 * page at `/`. A key that is not known is answered 401 before anything else. Fails with ServeFailed where the port cannot be had.
 *
 * When the scope ends, what is new is refused, each connection is closed as soon as nothing of it is unanswered, and what has
 * not finished within the grace period is interrupted.
 */
export const serve = Effect.fnUntraced(function*({ gracePeriod, ...where }: Serve) {
  const drain = yield* Drain
  const server = yield* Effect.acquireRelease(Effect.sync(() => createServer()), closeServer)
  const onRequest = yield* NodeHttpServer.makeHandler(yield* HttpApp.make(where))
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maximumFrameBytes, perMessageDeflate: false })
  const run = yield* FiberSet.makeRuntime<Effect.Effect.Context<ReturnType<typeof onUpgrade>>>()
  const upgrade = (request: IncomingMessage, socket: NodeDuplex, head: Buffer) => {
    run(onUpgrade(sockets, request, socket, head))
  }
  let unanswered = 0
  yield* drain.track({ running: () => unanswered })
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    unanswered++
    response.once("close", () => unanswered--)
    onRequest(request, response)
  })
  // To end before all but the draining: a connection that came while the others are closed would have nobody to close it.
  yield* Effect.acquireRelease(
    Effect.sync(() => server.on("upgrade", upgrade)),
    () => Effect.sync(() => server.off("upgrade", upgrade).close())
  )
  yield* Effect.addFinalizer(() => drain.drain(gracePeriod))
  const address = yield* listen(server, where)
  // Such as a connection that there is no file descriptor for. Without a listener it would end the process.
  server.on("error", (cause) => run(Effect.logError("A connection could not be accepted", cause)))
  return address
})
