import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import { CapabilityUnavailable } from "../../../errors/general.js"
import { checkKey, checkPrefix, textOfValue } from "../../state/checkKey.js"
import { SessionStates } from "../../state/SessionStates.js"
import type { HandlersOf, Invocation } from "../Handler.js"

const valueOf = (text: string): unknown => JSON.parse(text)

// What a human has approved is carried out when the session may be over, and belongs to none.
const inSession = ({ approvalId }: Invocation) =>
  approvalId === undefined ? Effect.void : new CapabilityUnavailable({
    type: "SessionNotFound",
    reason: "SessionNotFound",
    message: "What is approved runs outside of the session that asked for it, and reaches no session's state"
  })

/** The handlers of `state.session.*`. */
export const makeSessionHandlers = Effect.map(SessionStates, (states): HandlersOf<BuiltIn, "state.session"> => ({
  "state.session.get": ({ key }, invocation) =>
    Effect.gen(function*() {
      yield* checkKey(key)
      yield* inSession(invocation)
      const text = yield* states.get(invocation.sessionId, key)
      return text === undefined ? { found: false } : { value: valueOf(text), found: true }
    }),

  "state.session.set": ({ key, value }, invocation) =>
    Effect.gen(function*() {
      yield* checkKey(key)
      yield* inSession(invocation)
      const before = yield* states.set(invocation, key, yield* textOfValue(value))
      return before === undefined ? { overwritten: false } : { previous_value: valueOf(before), overwritten: true }
    }),

  "state.session.delete": ({ key }, invocation) =>
    Effect.gen(function*() {
      yield* checkKey(key)
      yield* inSession(invocation)
      const before = yield* states.remove(invocation.sessionId, key)
      return before === undefined ? { deleted: false } : { previous_value: valueOf(before), deleted: true }
    }),

  "state.session.list": ({ prefix }, invocation) =>
    Effect.gen(function*() {
      const start = yield* checkPrefix(prefix)
      yield* inSession(invocation)
      const keys = yield* states.list(invocation.sessionId, start)
      return { keys, count: keys.length }
    }),

  "state.session.clear": (_input, invocation) =>
    Effect.gen(function*() {
      yield* inSession(invocation)
      return { removed_count: yield* states.clear(invocation.sessionId) }
    })
}))
