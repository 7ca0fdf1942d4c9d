import * as Either from "effect/Either"
import { ConnectionFailed } from "../errors/gateway.js"

/** Where a gateway is reached. */
export interface Endpoint {
  /** The WebSocket. */
  readonly socket: string
  /** JSON-RPC over HTTP. */
  readonly rpc: string
  /** Whether what is sent can be read on the way: plain text to a host that is not this one. */
  readonly exposed: boolean
}

// Without a fragment, which no WebSocket may have, and without a name and password, which would be shown with the URL.
const form = /^(?:(wss?|https?):\/\/)?([^/?#@\s]+)([/?][^#\s]*)?$/i

/** Whether the host of a URL is this machine. */
export const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" ||
  /^127\.\d+\.\d+\.\d+$/.test(hostname)

const join = (protocol: string, host: string, path: string) => Either.try(() => new URL(`${protocol}://${host}${path}`))

/**
 * Reads `host`, `host:port` (7700 unless given), or a ws, wss, http or https URL. A path that is given is the path of the
 * transport that the URL names; else it is `/mcp` for the WebSocket and `/rpc` for HTTP.
 */
export const parse = (text: string): Either.Either<Endpoint, ConnectionFailed> => {
  const found = form.exec(text.trim())
  if (/[?&]token=/i.test(text)) return Either.left(holdsKey)
  if (found === null) return Either.left(notAnEndpoint(text))
  const [, scheme = "", host = "", path] = found
  const secure = ["wss", "https"].includes(scheme.toLowerCase())
  const overHttp = scheme.toLowerCase().startsWith("http")
  const port = /:\d+$/.test(host) || scheme !== "" ? "" : ":7700"
  return Either.gen(function*() {
    const socket = yield* join(secure ? "wss" : "ws", `${host}${port}`, overHttp ? "/mcp" : path ?? "/mcp")
    const rpc = yield* join(secure ? "https" : "http", `${host}${port}`, overHttp ? path ?? "/rpc" : "/rpc")
    return { socket: socket.href, rpc: rpc.href, exposed: !secure && !isLoopback(socket.hostname) }
  }).pipe(Either.mapLeft(() => notAnEndpoint(text)))
}

// Without the text: a URL is shown in errors and logs.
const holdsKey = new ConnectionFailed({
  message: "The host holds a token: give the key as apiKey, and the URL without it",
  retryable: false
})

// Without the cause, which repeats the text: it can hold a name and a password.
const notAnEndpoint = (text: string) =>
  new ConnectionFailed({
    message: `${text.includes("@") ? "What is given" : `"${text}"`} is neither a host, such as localhost:7700, nor a ` +
      "ws, wss, http or https URL of a host alone or with a path",
    retryable: false
  })
