import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import { storeUnavailable } from "../store/agentFailure.js"
import * as Answers from "./answers.js"
import type { InvalidQuery } from "./query.js"
import type { Answer, Route } from "./Route.js"

/** A resource that is one thing, and only read. */
export const readable = (
  read: (query: URLSearchParams) => Effect.Effect<Answer, InvalidQuery | SqlError>
): Route =>
({ method, path, query }) => {
  if (path.length > 0) return Effect.succeed(Answers.nothingHere)
  if (method !== "GET") return Effect.succeed(Answers.onlyGet)
  return Effect.catchTags(read(query), {
    InvalidQuery: ({ message }) => Effect.succeed(Answers.refusal(400, message)),
    SqlError: (cause) => Effect.succeed(Answers.unavailable(storeUnavailable(cause)))
  })
}
