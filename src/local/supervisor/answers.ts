import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { ApprovalState } from "../../schema/Approval.js"

// What supervisors see belongs to nobody else, and is soon out of date.
const headersOfAll = { "cache-control": "no-store", "x-content-type-options": "nosniff" }

/** An answer of JSON. */
export const json = (
  body: unknown,
  status = 200,
  headers: { readonly [name: string]: string } = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(JSON.stringify(body), {
    status,
    contentType: "application/json",
    headers: { ...headersOfAll, ...headers }
  })

/** An answer that says why something is not done. */
export const refusal = (
  status: number,
  error: string,
  headers: { readonly [name: string]: string } = {}
): HttpServerResponse.HttpServerResponse => json({ error }, status, headers)

/** The answer to a decision that comes too late. */
export const conflict = (error: string, status: ApprovalState): HttpServerResponse.HttpServerResponse =>
  json({ error, status }, 409)

const laterHeaders = { "retry-after": "1", connection: "close" }

export const shuttingDown = refusal(503, "The gateway is shutting down: ask again in a moment", laterHeaders)
