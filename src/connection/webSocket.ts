import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import { CloseCode, type Dial, type Duplex, type DuplexHandlers } from "./Duplex.js"
import type { Endpoint } from "./endpoint.js"

const duplexOf = (socket: WebSocket): Duplex => {
  let handlers: DuplexHandlers | undefined
  const waiting: Array<(to: DuplexHandlers) => void> = []
  const on = (event: (to: DuplexHandlers) => void) => handlers === undefined ? waiting.push(event) : event(handlers)
  socket.addEventListener(
    "message",
    ({ data }: MessageEvent<unknown>) => on((to) => typeof data === "string" ? to.onText(data) : to.onBinary())
  )
  socket.addEventListener("close", ({ code, reason }) => on((to) => to.onClose({ code, reason })))
  return {
    send: (text) => {
      if (socket.readyState === socket.OPEN) socket.send(text)
    },
    close: (code, reason) => socket.close(code, reason),
    listen: (given) => {
      handlers = given
      for (const event of waiting.splice(0)) event(given)
    }
  }
}

// The standard WebSocket tells a refused key and an absent server alike; a request to `/rpc` can tell them apart.
const whyNot = ({ rpc, socket: url }: Endpoint, apiKey: Redacted.Redacted<string>, code: number) =>
  Effect.tryPromise((signal) =>
    fetch(rpc, {
      method: "POST",
      headers: { authorization: `Bearer ${Redacted.value(apiKey)}`, "content-type": "application/json" },
      body: "[]",
      signal
    })
  ).pipe(
    Effect.map(({ status }) =>
      status === 401 || status === 403
        ? new AuthenticationFailed({ message: `The gateway refused the key (HTTP ${status})`, url })
        : new ConnectionFailed({ message: `The gateway did not accept a WebSocket (close code ${code})`, url })
    ),
    Effect.timeout("5 seconds"),
    Effect.catchAll((cause) =>
      Effect.succeed(new ConnectionFailed({ message: "The gateway cannot be reached", url, cause }))
    )
  )

/**
 * Dials with the WebSocket of the platform, which cannot set headers: the key goes into the query, as `token`.
 */
export const dial = (endpoint: Endpoint, apiKey: Redacted.Redacted<string>): Dial =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        const url = new URL(endpoint.socket)
        url.searchParams.set("token", Redacted.value(apiKey))
        return new WebSocket(url)
      },
      catch: (cause) =>
        new ConnectionFailed({
          message: "This platform has no WebSocket; on Node 20 use NodeGateway of kruxos/node",
          retryable: false,
          url: endpoint.socket,
          cause
        })
    }),
    (socket) => Effect.sync(() => socket.close(CloseCode.normal))
  ).pipe(
    Effect.flatMap((socket) => {
      const duplex = duplexOf(socket)
      return Effect.async<Duplex, number>((resume) => {
        socket.addEventListener("open", () => resume(Effect.succeed(duplex)), { once: true })
        socket.addEventListener("close", ({ code }) => resume(Effect.fail(code)), { once: true })
      })
    }),
    Effect.catchAll((failure) =>
      typeof failure === "number"
        ? Effect.flatMap(whyNot(endpoint, apiKey, failure), (error) => Effect.fail(error))
        : Effect.fail(failure)
    )
  )
