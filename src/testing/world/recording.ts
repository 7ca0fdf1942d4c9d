import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Registration } from "../../local/capabilities/Handler.js"
import { isOutgoing } from "./isOutgoing.js"
import type { Outbox } from "./Outbox.js"

/** A capability that tells the outbox what it has sent. */
export const recording = (outbox: Outbox, { capability, prepare }: Registration): Registration => ({
  capability,
  prepare: isOutgoing(capability)
    ? (input) =>
      Either.map(
        prepare(input),
        (run) => (invocation) =>
          Effect.tap(run(invocation), (output) =>
            outbox.ran({ agent: invocation.agent.name, capability, arguments: input, output }))
      )
    : prepare
})
