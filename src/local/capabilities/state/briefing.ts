import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import { InvalidInput } from "../../../errors/general.js"
import { type BriefingServices, generate, isPast } from "../../briefing/Briefing.js"
import { storeUnavailable } from "../../store/agentFailure.js"
import type { HandlersOf } from "../Handler.js"

const inFuture = (since: DateTime.Utc) =>
  new InvalidInput({
    type: "InvalidTimestamp",
    message: `since: ${DateTime.formatIso(since)} is in the future`,
    field: "since",
    reason: "InvalidTimestamp"
  })

/**
 * The handler of `state.briefing.generate`: an agent is told of its own requests, messages and alerts, and of the files of its
 * workspace, whoever changed them.
 */
export const makeBriefingHandlers = Effect.gen(function*() {
  const services = yield* Effect.context<BriefingServices>()
  const handlers: HandlersOf<BuiltIn, "state.briefing"> = {
    "state.briefing.generate": ({ detail_level, since }, { agent, connectedAt, workspace }) =>
      Effect.gen(function*() {
        if (since !== undefined && !(yield* isPast(since))) return yield* inFuture(since)
        const question = { agent, workspace, connectedAt, since, isDetailed: detail_level === "detailed" }
        return { briefing: yield* Effect.mapError(generate(question), storeUnavailable) }
      }).pipe(Effect.provide(services))
  }
  return handlers
})
