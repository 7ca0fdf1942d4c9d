import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { within } from "./deadline.js"
import type { TestGateway } from "./gateway.js"

/** What `/rpc` answered. */
export interface RawResponse {
  readonly status: number
  readonly headers: Headers
  /** Parsed where it is JSON. */
  readonly body: unknown
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Posts a body: a text as it is, anything else as JSON. Interruption aborts the request. */
export const post = (
  gateway: Pick<TestGateway, "rpc" | "key">,
  body: unknown,
  options: { readonly key?: string; readonly headers?: Record<string, string> } = {}
): Effect.Effect<RawResponse> =>
  Effect.promise(async (signal) => {
    const response = await fetch(gateway.rpc, {
      method: "POST",
      signal,
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${options.key ?? gateway.key}`,
        ...options.headers
      },
      body: typeof body === "string" ? body : JSON.stringify(body)
    })
    return { status: response.status, headers: response.headers, body: parsed(await response.text()) }
  }).pipe(within("the answer to a POST"))

/** Posts one request to `/rpc` and gives the whole JSON-RPC answer. */
export const rpc = (
  gateway: Pick<TestGateway, "rpc" | "key">,
  method: string,
  params?: unknown,
  key = gateway.key
): Effect.Effect<unknown> =>
  Effect.flatMap(
    post(gateway, { jsonrpc: "2.0", id: 1, method, params }, { key }),
    ({ body }) => Predicate.isRecord(body) ? Effect.succeed(body) : Effect.dieMessage(`no answer: ${String(body)}`)
  )
