import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { WebSocket } from "ws"
import { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import { CloseCode, type Dial, type Duplex, maximumFrameBytes } from "./Duplex.js"
import { duplexOf } from "./nodeWebSocket.js"

const options = {
  maxPayload: maximumFrameBytes,
  perMessageDeflate: false,
  /** How long a polite close waits for the other side's, in milliseconds. */
  closeTimeout: 2000
}

/** Dials with the `ws` package: the key goes into the Authorization header, and a refusal is told as what it is. */
export const dial = (url: string, apiKey: Redacted.Redacted<string>): Dial =>
  Effect.acquireRelease(
    Effect.try({
      try: () => new WebSocket(url, { ...options, headers: { authorization: `Bearer ${Redacted.value(apiKey)}` } }),
      catch: () => new ConnectionFailed({ message: `A WebSocket to ${url} cannot be asked for`, url, retryable: false })
    }),
    (socket) =>
      Effect.sync(() => socket.readyState === socket.CONNECTING ? socket.terminate() : socket.close(CloseCode.normal))
  ).pipe(
    Effect.flatMap((socket) => {
      const duplex = duplexOf(socket)
      return Effect.async<Duplex, ConnectionFailed | AuthenticationFailed>((resume) => {
        socket.once("open", () => resume(Effect.succeed(duplex)))
        socket.once("unexpected-response", (request, response) => {
          request.destroy()
          const status = response.statusCode ?? 0
          resume(Effect.fail(
            status === 401 || status === 403
              ? new AuthenticationFailed({ message: `The gateway refused the key (HTTP ${status})`, url })
              : new ConnectionFailed({ message: `The gateway did not accept a WebSocket (HTTP ${status})`, url })
          ))
        })
        socket.once("error", (cause) =>
          resume(Effect.fail(
            new ConnectionFailed({ message: `The gateway cannot be reached at ${url}: ${cause.message}`, url, cause })
          )))
      })
    })
  )
