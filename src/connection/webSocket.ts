import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import { CloseCode, type Dial, type Duplex, type DuplexHandlers } from "./Duplex.js"
import type { Endpoint } from "./endpoint.js"

// A client of the standard may give one code of the protocol alone, and those from 3000 on. Without any it would say goodbye.
const ownCode = (code: number) => code === CloseCode.normal ? code : code + 3000

const duplexOf = (socket: WebSocket): Duplex => {
  let handlers: DuplexHandlers | undefined
  const waiting: Array<(to: DuplexHandlers) => void> = []
  const on = (event: (to: DuplexHandlers) => void) => handlers === undefined ? waiting.push(event) : event(handlers)
  socket.addEventListener(
    "message",
    ({ data }: MessageEvent<unknown>) => on((to) => typeof data === "string" ? to.onText(data) : to.onBinary())
  )
  socket.addEventListener("close", ({ code, reason }) => on((to) => to.onClose({ code, reason })))
  // An error is always followed by a close; a WebSocket that is a Node event emitter throws what nobody listens to.
  socket.addEventListener("error", () => {})
  return {
    send: (text) => {
      if (socket.readyState !== socket.OPEN) return false
      socket.send(text)
      return true
    },
    bufferedBytes: () => socket.bufferedAmount,
    close: (code, reason) => socket.close(ownCode(code), reason),
    // The standard has no way to end at once; nobody waits for this close.
    abort: () => socket.close(ownCode(CloseCode.abnormal)),
    ping: undefined,
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

const open = (url: string, apiKey: Redacted.Redacted<string>) =>
  Effect.suspend(() => {
    if (typeof WebSocket === "undefined") {
      return Effect.fail(
        new ConnectionFailed({
          message: "This platform has no WebSocket; on Node 20 use NodeGateway of kruxos/node",
          retryable: false,
          url
        })
      )
    }
    const withKey = new URL(url)
    withKey.searchParams.set("token", Redacted.value(apiKey))
    return Effect.try({
      try: () => new WebSocket(withKey),
      // Without the cause: its message can quote the URL, and with it the key.
      catch: () =>
        new ConnectionFailed({
          message: `The platform does not open a WebSocket to ${url}; a page of https may only open wss`,
          retryable: false,
          url
        })
    })
  })

/**
 * Dials with the WebSocket of the platform, which cannot set headers: the key goes into the query, as `token`.
 */
export const dial = (endpoint: Endpoint, apiKey: Redacted.Redacted<string>): Dial =>
  Effect.acquireRelease(
    open(endpoint.socket, apiKey),
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
