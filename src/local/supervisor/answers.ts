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

/** The answer where something that the gateway needs does not answer. */
export const unavailable = ({ message }: { readonly message: string }): HttpServerResponse.HttpServerResponse =>
  refusal(503, message, { "retry-after": "1" })

/** The answer where there is no such resource. */
export const nothingHere = refusal(
  404,
  "There is nothing here: supervisors find alerts, approvals, agents, activity, audit, status, health, state and events below /api"
)

export const onlyGet = refusal(405, "This answers GET", { allow: "GET" })

export const onlyPost = refusal(405, "This answers POST", { allow: "POST" })

const laterHeaders = { "retry-after": "1", connection: "close" }

export const shuttingDown = refusal(503, "The gateway is shutting down: ask again in a moment", laterHeaders)
