import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Capabilities, type GatewayOptions } from "kruxos"
import { NodeGateway } from "kruxos/node"
import type { ServerResponse } from "node:http"
import { at } from "../support/json.js"
import { type RpcServer, rpcServer } from "../support/realServers.js"

export const key = "an-http-key"

export const path = "/workspace/notes.txt"

export type Answer = { readonly result: unknown } | { readonly error: object } | "silence"

/** Answers each call of a body, one or many; the handler sees the method and the parameters. */
export const answering =
  (handler: (method: unknown, params: unknown) => Answer) => (text: string, response: ServerResponse) => {
    const body: unknown = JSON.parse(text)
    const answerOf = (call: unknown) => {
      const answer = handler(at(call, "method"), at(call, "params"))
      return answer === "silence" ? [] : [{ jsonrpc: "2.0", id: at(call, "id"), ...answer }]
    }
    const answers = (Array.isArray(body) ? body : [body]).flatMap(answerOf)
    if (answers.length > 0) response.end(JSON.stringify(Array.isArray(body) ? answers.toReversed() : answers[0]))
  }

export const session = (id = "s-1") => ({
  result: {
    session_id: id,
    agent: "agent",
    created_at: "2026-01-02T03:04:05Z",
    features: { native: {}, approvals: {} }
  }
})

export const success = (data: unknown) => ({ result: { success: true, data } })

/** A gateway that starts sessions and ends them, and answers invocations by the handler. */
export const gateway = (onInvoke: (params: unknown) => Answer) =>
  answering((method, params) => {
    if (method === "session.create") return session()
    return method === "capabilities.invoke" ? onInvoke(params) : { result: {} }
  })

export const created = (id = "s-1") => ({ result: { session_id: id, features: { native: {}, idempotency: {} } } })

/** A gateway with keyed invocations, which answers them by the handler. */
export const keyedGateway = (onInvoke: (params: unknown) => Answer) =>
  rpcServer(answering((method, params) => {
    if (method === "session.create") return created()
    if (method === "notifications/cancelled") return "silence"
    return method === "capabilities.invoke" ? onInvoke(params) : { result: {} }
  }))

export const layer = ({ host }: { readonly host: string }, options: Partial<GatewayOptions> = {}) =>
  NodeGateway.layer({ host, apiKey: Redacted.make(key), transport: "http", ...options })

export const stat = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.stat", { path }))

export const write = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.write", { path, content: "" }))

export const refused = <A, E>(made: Layer.Layer<A, E>) => Effect.flip(Effect.scoped(Layer.build(made)))

export const methods = ({ requests }: RpcServer) =>
  requests.flatMap(({ text }) => {
    const body: unknown = JSON.parse(text)
    return Array.isArray(body) ? [body.map((call) => at(call, "method"))] : [at(body, "method")]
  })

/** The messages that the server was sent, by themselves or with others. */
export const messages = ({ requests }: RpcServer): ReadonlyArray<unknown> =>
  requests.flatMap(({ text }): ReadonlyArray<unknown> => [JSON.parse(text)].flat())

export const invocations = (server: RpcServer) =>
  messages(server).filter((message) => at(message, "method") === "capabilities.invoke")

/** What the server was told that nobody waits for. */
export const cancellations = (server: RpcServer) =>
  messages(server).filter((message) => at(message, "method") === "notifications/cancelled").map((message) => ({
    requestId: at(message, "params", "requestId"),
    session_id: at(message, "params", "session_id")
  }))

/** How many requests carried invocations. */
export const bodiesOfInvocations = ({ requests }: RpcServer) =>
  requests.filter(({ text }) => text.includes("capabilities.invoke")).length
