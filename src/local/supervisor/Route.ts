import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Effect from "effect/Effect"
import type { IncomingMessage } from "node:http"
import type { Supervisor } from "../store/Supervisors.js"

/** What a supervisor asks of a resource below `/api`. */
export interface Asked {
  readonly request: IncomingMessage
  readonly method: string
  /** What stands behind the name of the resource, part by part, decoded: `["apr-1", "approve"]` of `/api/approvals/apr-1/approve`. */
  readonly path: ReadonlyArray<string>
  readonly query: URLSearchParams
  readonly supervisor: Supervisor
}

export type Answer = HttpServerResponse.HttpServerResponse

/** Answers all that is asked of one resource. */
export type Route = (asked: Asked) => Effect.Effect<Answer>
