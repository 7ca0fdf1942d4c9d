import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { type RawData, WebSocket } from "ws"
import { within } from "./deadline.js"
import type { TestGateway } from "./gateway.js"
import { at } from "./json.js"

/** The server did not upgrade. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly status: number
  readonly headers: { readonly [name: string]: unknown }
  readonly body: unknown
}> {}

/** A WebSocket that says and shows just what a test tells it to. Every wait ends after five seconds, that for the close after thirty. */
export interface RawSocket {
  /** Sends a text as it is, bytes as a binary frame, and anything else as JSON. */
  readonly send: (message: unknown) => Effect.Effect<void>
  /** The next message that arrives, parsed. */
  readonly receive: Effect.Effect<unknown>
  /** Sends a request and takes the next message, which has to be its answer. */
  readonly call: (method: string, params?: unknown) => Effect.Effect<unknown>
  readonly closed: Effect.Effect<{ readonly code: number; readonly reason: string }>
  /** Reads no further until `resume`. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  readonly close: Effect.Effect<void>
  /** Closes without saying goodbye. */
  readonly cut: Effect.Effect<void>
  readonly protocol: string
}

const textOf = (data: RawData): string => Buffer.isBuffer(data) ? data.toString() : ""

const bodyOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const dial = (
  url: string,
  options: { readonly headers?: Record<string, string>; readonly protocols?: Array<string> }
) =>
  Effect.async<WebSocket, Refused>((resume) => {
    const socket = new WebSocket(url, options.protocols ?? [], { headers: options.headers ?? {} })
    // Whatever comes before the test listens must not be lost.
    socket.pause()
    socket.once("open", () => resume(Effect.succeed(socket)))
    socket.on("error", (cause) => resume(Effect.die(cause)))
    socket.once("unexpected-response", (_request, response) => {
      let text = ""
      response.on("data", (chunk) => {
        text += String(chunk)
      })
      response.on("end", () =>
        resume(
          Effect.fail(
            new Refused({ status: response.statusCode ?? 0, headers: response.headers, body: bodyOf(text) })
          )
        ))
    })
  })

/** Opens a WebSocket until the scope ends. */
export const open = (
  url: string,
  options: { readonly key?: string; readonly headers?: Record<string, string>; readonly protocols?: Array<string> } = {}
): Effect.Effect<RawSocket, Refused, Scope.Scope> =>
  Effect.gen(function*() {
    const headers = options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }
    const socket = yield* Effect.acquireRelease(
      within("the upgrade")(dial(url, { ...options, headers: { ...headers, ...options.headers } })),
      (opened) => Effect.sync(() => opened.terminate())
    )
    const messages = yield* Queue.unbounded<unknown>()
    const closed = yield* Deferred.make<{ readonly code: number; readonly reason: string }>()
    socket.on("message", (data) => Queue.unsafeOffer(messages, JSON.parse(textOf(data))))
    socket.on("close", (code, reason) => Deferred.unsafeDone(closed, Exit.succeed({ code, reason: String(reason) })))
    socket.resume()
    let lastId = 0
    const send = (message: unknown) =>
      Effect.async<void>((resume) => {
        const frame = typeof message === "string" || message instanceof Uint8Array ? message : JSON.stringify(message)
        socket.send(frame, () => resume(Effect.void))
      })
    const receive = within("a message")(Queue.take(messages))
    return {
      send,
      receive,
      call: (method, params) =>
        Effect.gen(function*() {
          const id = `call-${++lastId}`
          yield* send({ jsonrpc: "2.0", id, method, params })
          const answer = yield* receive
          return at(answer, "id") === id
            ? answer
            : yield* Effect.dieMessage(`This does not answer ${id}: ${JSON.stringify(answer)}`)
        }),
      // Much may have to be read before it.
      closed: within("the close", "30 seconds")(Deferred.await(closed)),
      pause: Effect.sync(() => socket.pause()),
      resume: Effect.sync(() => socket.resume()),
      close: Effect.sync(() => socket.close()),
      cut: Effect.sync(() => socket.terminate()),
      protocol: socket.protocol
    }
  })

/** Opens a WebSocket to a gateway with its agent's key, or another's. */
export const connect = (gateway: TestGateway, key = gateway.key): Effect.Effect<RawSocket, never, Scope.Scope> =>
  Effect.orDie(open(gateway.url, { key }))

/** The params of an ordinary `initialize`. */
export const initializeParams = (protocolVersion = "2025-06-18") => ({
  protocolVersion,
  clientInfo: { name: "raw", version: "1" },
  capabilities: {}
})

/** Opens a WebSocket and a session on it. */
export const initialized = (gateway: TestGateway, key?: string): Effect.Effect<RawSocket, never, Scope.Scope> =>
  Effect.gen(function*() {
    const socket = yield* connect(gateway, key)
    yield* socket.call("initialize", initializeParams())
    yield* socket.send({ jsonrpc: "2.0", method: "notifications/initialized" })
    return socket
  })
