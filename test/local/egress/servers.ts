import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as http from "node:http"
import * as net from "node:net"
import * as tls from "node:tls"

/** A server on a loopback address that goes with the scope. */
export interface TestServer {
  readonly port: number
  /** How many connections there have been, and how many of them are open. */
  readonly connections: () => number
  readonly open: () => number
}

const listen = <S extends net.Server>(make: () => S, host: string): Effect.Effect<TestServer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const sockets = new Set<net.Socket>()
    let connections = 0
    const server = yield* Effect.acquireRelease(Effect.sync(make), (made) =>
      Effect.async<void>((resume) => {
        made.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      }))
    server.on("connection", (socket: net.Socket) => {
      connections++
      sockets.add(socket)
      socket.on("error", () => undefined)
      socket.on("close", () => sockets.delete(socket))
    })
    yield* Effect.async<void>((resume) => {
      server.listen(0, host, () => resume(Effect.void))
    })
    const address = server.address()
    if (address === null || typeof address === "string") return yield* Effect.dieMessage("no port")
    return { port: address.port, connections: () => connections, open: () => sockets.size }
  })

/** A server that speaks HTTP. */
export const serveHttp = (handle: http.RequestListener, host = "127.0.0.1") =>
  listen(() => http.createServer({ keepAliveTimeout: 0 }, handle), host)

/** A server that speaks whatever it is told to. */
export const serveTcp = (handle: (socket: net.Socket) => void, host = "127.0.0.1") =>
  listen(() => net.createServer(handle), host)

/** A server with a certificate that nobody vouches for, for `localhost`. */
export const serveTls = (options: tls.TlsOptions) => listen(() => tls.createServer(options), "127.0.0.1")
