import * as Effect from "effect/Effect"
import { within } from "./deadline.js"
import type { TestGateway } from "./gateway.js"
import type { RawResponse } from "./rawHttp.js"

/** What a request to `/api` may carry besides. */
export interface AskOptions {
  readonly method?: string
  /** A text as it is, anything else as JSON. */
  readonly body?: unknown
  /** Default: the supervisor's token. Null sends none. */
  readonly token?: string | null
  readonly headers?: Record<string, string>
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Asks a gateway for something below `/api`. */
export const asSupervisor = (
  gateway: Pick<TestGateway, "api" | "supervisorToken">,
  path: string,
  { body, headers = {}, method = "GET", token = gateway.supervisorToken }: AskOptions = {}
): Effect.Effect<RawResponse> =>
  Effect.promise(async (signal) => {
    const response = await fetch(`${gateway.api}${path}`, {
      method,
      signal,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...headers
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) })
    })
    return { status: response.status, headers: response.headers, body: parsed(await response.text()) }
  }).pipe(within(`the answer to ${method} ${path}`))

/** Approves or rejects a request; dies where that is not what becomes of it. */
export const decide = (
  gateway: Pick<TestGateway, "api" | "supervisorToken">,
  id: string,
  verdict: "approve" | "reject"
): Effect.Effect<void> =>
  Effect.flatMap(
    asSupervisor(gateway, `/approvals/${id}/${verdict}`, { method: "POST" }),
    ({ body, status }) =>
      status === 200 ? Effect.void : Effect.dieMessage(`It was answered ${status}: ${JSON.stringify(body)}`)
  )
