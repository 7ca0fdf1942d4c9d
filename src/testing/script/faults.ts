import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Fault, When } from "../Reply.js"
import type { AnyStep } from "./AnyReply.js"
import type { FaultControl } from "./FaultControl.js"
import type { Taken } from "./Line.js"

/** What goes wrong around an answer, as its step says. */
export interface Faults {
  /** `goesOn` says of what is answered that it is not asked for again where its connection is lost. */
  readonly before: (taken: Taken, goesOn: boolean) => Effect.Effect<void>
  readonly after: (step: AnyStep) => Effect.Effect<void>
}

const whenOf = (fault: Fault): When =>
  fault._tag === "DropReply" || fault._tag === "DuplicateReply" ? "after" : fault.when

const isBefore = (fault: Fault) => whenOf(fault) === "before"

/** Makes them with what the wire, and the gateway as a whole, can do. */
export const make = (control: FaultControl): Faults => {
  // Nobody else ends who works for a request that lost its connection, or for a gateway that is gone.
  const killed = Effect.zipRight(control.restart, Effect.never)

  const afterwards = (fault: Fault): Effect.Effect<void> => {
    switch (fault._tag) {
      case "DropReply":
        return control.dropReply
      case "DuplicateReply":
        return control.duplicateReply
      case "DropConnection":
        return control.dropConnection
      case "GatewayRestart":
        return killed
    }
  }

  return {
    before: ({ giveBack, step }, goesOn) => {
      const first = step.faults.find(isBefore)
      if (first === undefined) return Effect.void
      if (first._tag === "DropConnection" && goesOn) return control.dropConnection
      giveBack({ ...step, faults: step.faults.filter((fault) => !isBefore(fault)) })
      return first._tag === "GatewayRestart" ? killed : Effect.zipRight(control.dropConnection, Effect.never)
    },
    after: (step) => Effect.forEach(step.faults.filter((fault) => !isBefore(fault)), afterwards, { discard: true })
  }
}

/** An answer with what goes wrong before it and after it, and its delay. */
export const around = <A, E>(
  faults: Faults,
  taken: Taken,
  goesOn: boolean,
  answer: Effect.Effect<A, E>
): Effect.Effect<A, E> => {
  const { step } = taken
  const after = () => faults.after(step)
  return faults.before(taken, goesOn).pipe(
    Effect.zipRight(Duration.equals(step.delay, Duration.zero) ? answer : Effect.delay(answer, step.delay)),
    Effect.tapBoth({ onFailure: after, onSuccess: after })
  )
}
