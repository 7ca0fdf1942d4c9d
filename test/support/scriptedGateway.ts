import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { Dial, Duplex } from "../../src/connection/Duplex.js"
import {
  decodeFrame,
  encodeNotification,
  encodeRequest,
  failureOf,
  type Message,
  type RpcId,
  successOf
} from "../../src/connection/jsonRpc.js"
import { makePair } from "../../src/connection/memory.js"
import type { AuthenticationFailed, ConnectionFailed } from "../../src/errors/gateway.js"
import type { RpcError } from "../../src/errors/wire.js"

type Received = Extract<Message, { readonly _tag: "Request" | "Notification" }>
export type Asked = Extract<Message, { readonly _tag: "Request" }>

/** The gateway's end of one connection. */
export interface ServerSide {
  /** Everything that has come, in order. */
  readonly received: ReadonlyArray<Message>
  readonly answer: (id: RpcId, result: unknown) => void
  readonly refuse: (id: RpcId | null, error: RpcError) => void
  readonly notify: (method: string, params?: unknown) => void
  readonly ask: (id: RpcId, method: string, params?: unknown) => void
  readonly send: (text: string) => void
  readonly close: (code?: number, reason?: string) => void
  readonly isClosed: () => boolean
}

/** What a connection does with a message. */
export type Handler = (message: Received, server: ServerSide) => void

/** How one attempt to connect goes: it is served, it fails, or nothing ever happens. */
export type Step = Handler | ConnectionFailed | AuthenticationFailed | "hang"

export interface ScriptedGateway {
  readonly dial: Dial
  /** The connections that were served, oldest first. */
  readonly connections: ReadonlyArray<ServerSide>
  readonly dials: () => number
}

/** Serves one end of a duplex by a handler. */
export const serveOn = (duplex: Duplex, handler: Handler): ServerSide => {
  const received: Array<Message> = []
  let closed = false
  const send = (text: string) => void duplex.send(text)
  const server: ServerSide = {
    received,
    send,
    answer: (id, result) => send(JSON.stringify(successOf(id, result))),
    refuse: (id, error) => send(JSON.stringify(failureOf(id, error))),
    notify: (method, params) => send(encodeNotification(method, params)),
    ask: (id, method, params) => send(encodeRequest(id, method, params)),
    close: (code = 1001, reason = "going away") => duplex.close(code, reason),
    isClosed: () => closed
  }
  duplex.listen({
    onText: (text) => {
      const frame = decodeFrame(text)
      if (frame._tag === "Batch") return
      received.push(frame)
      if (frame._tag === "Request" || frame._tag === "Notification") handler(frame, server)
    },
    onBinary: () => {},
    onPong: () => {},
    onClose: () => {
      closed = true
    }
  })
  return server
}

/** A gateway that treats each connection as the next step says, and all further ones as the last. */
export const make = (...script: readonly [Step, ...ReadonlyArray<Step>]): ScriptedGateway => {
  const connections: Array<ServerSide> = []
  let dials = 0
  return {
    connections,
    dials: () => dials,
    dial: Effect.suspend(() => {
      const step = script[Math.min(dials, script.length - 1)] ?? "hang"
      dials++
      if (step === "hang") return Effect.never
      if (Predicate.isTagged(step, "ConnectionFailed") || Predicate.isTagged(step, "AuthenticationFailed")) {
        return Effect.fail(step)
      }
      const [client, server] = makePair()
      connections.push(serveOn(server, step))
      return Effect.acquireRelease(
        Effect.succeed(client),
        (duplex) => Effect.sync(() => duplex.close(1000, ""))
      )
    })
  }
}

export const initializeResult = (experimental?: object) => ({
  protocolVersion: "2024-11-05",
  serverInfo: { name: "kruxos-gateway", version: "0.0.3" },
  capabilities: {
    tools: { listChanged: true },
    ...(experimental === undefined ? {} : { experimental: { kruxos: experimental } })
  }
})

/** The features of this project's gateway, as much as makes its clients invoke capabilities natively. */
export const native = { session: { session_id: "session-1", agent: "agent", resumed: false }, native: {} }

/** Answers `initialize`; the other requests go to the handler. */
export const initialized =
  (onRequest: (request: Asked, server: ServerSide) => void = () => {}, experimental?: object): Handler =>
  (message, server) => {
    if (message._tag !== "Request") return
    if (message.method === "initialize") server.answer(message.id, initializeResult(experimental))
    else onRequest(message, server)
  }

/** Lets everything run that is not waiting for time to pass. */
export const settled: Effect.Effect<void> = Effect.repeatN(Effect.yieldNow(), 200)

/** The requests of a connection that have a method, `initialize` not among them unless asked for. */
export const requests = (server: ServerSide | undefined, method?: string): ReadonlyArray<Asked> =>
  (server?.received ?? []).filter((message): message is Asked =>
    message._tag === "Request" && (method === undefined ? message.method !== "initialize" : message.method === method)
  )

/** The parameters of the notifications of a method. */
export const notified = (server: ServerSide | undefined, method: string): ReadonlyArray<unknown> =>
  (server?.received ?? []).flatMap((message) =>
    message._tag === "Notification" && message.method === method ? [message.params] : []
  )
