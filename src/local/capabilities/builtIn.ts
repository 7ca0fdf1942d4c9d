import * as Effect from "effect/Effect"
import { builtIn } from "../../catalogue/builtIn.js"
import { makeAgentHandlers } from "./agent.js"
import { makeCommsHandlers } from "./comms.js"
import { makeFilesystemHandlers } from "./filesystem/handlers.js"
import { registerAll } from "./Handler.js"
import { makeSystemHandlers } from "./system/handlers.js"

/** The capabilities of the catalogue with their handlers. */
export const makeRegistrations = Effect.gen(function*() {
  return registerAll(builtIn, {
    ...yield* makeAgentHandlers,
    ...yield* makeCommsHandlers,
    ...yield* makeFilesystemHandlers,
    ...yield* makeSystemHandlers
  })
})
