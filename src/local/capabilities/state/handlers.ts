import * as Effect from "effect/Effect"
import { makePersistentHandlers } from "./persistent.js"
import { makeSessionHandlers } from "./session.js"
import { makeSharedHandlers } from "./shared.js"

/** The handlers of `state.session.*`, `state.persistent.*` and `state.shared.*`. */
export const makeStateHandlers = Effect.gen(function*() {
  return {
    ...yield* makeSessionHandlers,
    ...yield* makePersistentHandlers,
    ...yield* makeSharedHandlers
  }
})
