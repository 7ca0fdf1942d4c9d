import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { AnyCapability } from "../../catalogue/Capability.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { Invocation } from "../../local/capabilities/Handler.js"
import { type AnyStep, Died, NoEffect } from "./AnyReply.js"
import type { Arrival } from "./Arrivals.js"
import type { FaultControl } from "./FaultControl.js"
import * as Faults from "./faults.js"
import { type EncodeOutput, type Fitting, fittingFailure } from "./fit.js"
import type { Taken } from "./Line.js"
import { show } from "./show.js"

/** An invocation that is to be answered by the script. */
export interface Performance {
  readonly capability: AnyCapability
  readonly encode: EncodeOutput
  readonly taken: Taken
  readonly input: unknown
  readonly invocation: Invocation
  readonly arrival: Arrival | undefined
  /** Notes that the answer does not fit, and fails with it. */
  readonly refuse: (reason: string) => Effect.Effect<never, KruxosError>
}

/** Answers an invocation by the script. */
export interface Perform {
  readonly answer: (performance: Performance) => Effect.Effect<Fitting["output"], KruxosError>
  /** The same where the gateway itself carries it out: with what the script lets go wrong. */
  readonly passThrough: <A>(
    of: Pick<Performance, "taken" | "arrival" | "invocation">,
    own: Effect.Effect<A, KruxosError>
  ) => Effect.Effect<A, KruxosError>
}

/** Told what a capability has come to, when it has. */
export type OnRan = (ran: {
  readonly agent: string
  readonly capability: AnyCapability
  readonly arguments: unknown
  readonly output: unknown
}) => Effect.Effect<void>

const answerOf = ({ answer }: AnyStep, input: unknown, invocation: Invocation): Effect.Effect<unknown, unknown> => {
  switch (answer._tag) {
    case "Value":
      return Effect.succeed(answer.value)
    case "Failure":
      return Effect.fail(answer.error)
    case "PassThrough":
      return Effect.dieMessage("what the gateway itself carries out is not answered by the script")
    case "Handler":
      return Effect.suspend(() => answer.handler(input, invocation)).pipe(
        // The gateway would tell its log alone, which a test has not.
        Effect.catchAllDefect((defect) => Effect.fail(new Died(defect)))
      )
  }
}

/** Makes what answers invocations by the script, with what goes wrong before and after. */
export const make = (control: FaultControl, onRan: OnRan): Perform => {
  const faults = Faults.make(control)

  // What has a key, or was approved, goes on without its connection; all else is asked for again.
  const goesOn = ({ arrival, invocation }: Pick<Performance, "arrival" | "invocation">) =>
    arrival === undefined || arrival.idempotencyKey !== undefined ||
    invocation.approvalId !== undefined || arrival.answered !== undefined

  const checked = (
    { arrival, capability, encode, input, invocation: { agent }, refuse }: Performance,
    given: unknown
  ): Effect.Effect<Fitting["output"], KruxosError> => {
    const fitting = encode(given)
    if (Either.isLeft(fitting)) return refuse(fitting.left)
    const { encoded, output } = fitting.right
    if (arrival !== undefined) arrival.output = { value: encoded }
    return Effect.as(
      onRan({ agent: agent.name, capability, arguments: arrival?.arguments ?? input, output }),
      output
    )
  }

  const failed = ({ capability, refuse }: Performance, failure: unknown): Effect.Effect<never, KruxosError> => {
    if (failure instanceof NoEffect) return refuse(`its handler returned ${show(failure.returned)}, which is no Effect`)
    if (failure instanceof Died) return refuse(`its handler died: ${show(failure.defect)}`)
    const fitting = fittingFailure(capability, failure)
    return Either.isRight(fitting) ? Effect.fail(fitting.right) : refuse(fitting.left)
  }

  return {
    answer: (performance) => {
      const { input, invocation, taken } = performance
      const answer = Effect.matchEffect(answerOf(taken.step, input, invocation), {
        onFailure: (failure) => failed(performance, failure),
        onSuccess: (output) => checked(performance, output)
      })
      return Faults.around(faults, taken, goesOn(performance), answer)
    },
    passThrough: ({ taken, ...of }, own) => Faults.around(faults, taken, goesOn(of), own)
  }
}
