import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Schema from "effect/Schema"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { Workspace } from "../workspace/Workspace.js"
import { placesOf } from "./places.js"
import type { Turns } from "./Turns.js"

/** The effect of an invocation could not be told afterwards. It is run all the same, without a check. */
export class CannotCheck extends Data.TaggedError("CannotCheck")<{ readonly message: string }> {}

/** Whose invocation it is, and where it works. */
export interface CheckContext {
  readonly agent: string
  readonly workspace: Workspace
  /** Names the invocation among all others: what it writes into the store carries it. */
  readonly source: string
}

/** What became of an invocation whose gateway was killed. */
export type Conclusion<Output> =
  /** It changed nothing that counts: run it again. */
  | { readonly _tag: "NotDone" }
  /** It took effect, with this output. */
  | { readonly _tag: "Done"; readonly output: Output }
  /** It was cut off in the middle: what is left is done by `finish`, and by nothing else. */
  | { readonly _tag: "PartlyDone"; readonly finish: Effect.Effect<Output, KruxosError> }
  /** It cannot be told: neither run it again nor say that it was done. */
  | { readonly _tag: "Unknown"; readonly reason: string }

/** A conclusion whose output is as it goes on the wire. */
export type Found = Conclusion<unknown>

/** An invocation's arguments, as they came from the wire. */
export interface Arguments {
  readonly [name: string]: unknown
}

/** How it can be found out after a crash whether an invocation took effect. */
export interface EffectCheck {
  /**
   * What has to be known of how things were right before the handler runs: JSON of sizes, times and digests, never of
   * contents. It takes at most ten seconds.
   */
  readonly before: (input: Arguments, context: CheckContext) => Effect.Effect<unknown, CannotCheck>
  /** Those of the arguments that {@link EffectCheck.after} needs besides: in place of long content there may be none. */
  readonly kept: (input: Arguments) => Arguments
  /**
   * What the state of things says now, which it leaves as it is. `before` is what {@link EffectCheck.before} returned. It
   * takes at most a minute, and says Unknown of whatever goes wrong.
   */
  readonly after: (input: Arguments, before: unknown, context: CheckContext) => Effect.Effect<Found>
  /**
   * Runs an effect while no other one is run so for a path in common. It has to hold all of an invocation, from its `before`
   * until its result is recorded, or from its `after`: else the effect of one would be taken for that of another that is
   * equal, such as two appends of one line.
   */
  readonly alone: <A, E, R>(
    input: Arguments,
    context: CheckContext,
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
}

/** An {@link EffectCheck}, typed by its capability. Every failure of `before` is CannotCheck, every one of `after` Unknown. */
export interface TypedCheck<Input, Output, Before> {
  readonly before: (input: Input, context: CheckContext) => Effect.Effect<Before, Failure>
  readonly after: (input: Input, before: Before, context: CheckContext) => Effect.Effect<Conclusion<Output>, Failure>
  /** The paths that it changes, as they were given; none where its effect can be told from that of an equal one. */
  readonly paths: (input: Input) => ReadonlyArray<string>
  /** Whether `before` may take longer than a moment. */
  readonly isSlow?: boolean
  /** What of the arguments is kept; all unless given. */
  readonly kept?: (input: Arguments) => Arguments
  /** Paths that it changes, too, and that its input does not say. */
  readonly further?: (input: Input) => Effect.Effect<ReadonlyArray<string>>
}

interface Failure {
  readonly message: string
}

interface Typed<Input, Output> {
  readonly name: string
  readonly handlerInputSchema: Schema.Schema<Input, Arguments>
  readonly outputSchema: Schema.Schema<Output, Arguments>
}

const timeBefore = Duration.seconds(10)
const timeAfter = Duration.minutes(1)

export const notDone: Conclusion<never> = { _tag: "NotDone" }

export const unknown = (reason: string): Conclusion<never> => ({ _tag: "Unknown", reason })

export const done = <Output>(output: Output): Conclusion<Output> => ({ _tag: "Done", output })

/** Makes the check of a capability; `state` is the form in which `before` is kept. */
export const make = <Input, Output, Before, Encoded>(
  capability: Typed<Input, Output>,
  state: Schema.Schema<Before, Encoded>,
  {
    after,
    before,
    further = () => Effect.succeed([]),
    isSlow = false,
    kept = (input) => input,
    paths
  }: TypedCheck<Input, Output, Before>
) =>
(turns: Turns): readonly [string, EffectCheck] => {
  const decodeInput = Schema.decodeUnknown(capability.handlerInputSchema)
  const decodeState = Schema.decodeUnknown(state)
  const encodeState = Schema.encode(state)
  const encodeOutput = (output: Output) => Effect.orDie(Schema.encode(capability.outputSchema)(output))

  const encoded = (conclusion: Conclusion<Output>): Effect.Effect<Found> => {
    switch (conclusion._tag) {
      case "Done":
        return Effect.map(encodeOutput(conclusion.output), done)
      case "PartlyDone":
        return Effect.succeed({ _tag: "PartlyDone", finish: Effect.flatMap(conclusion.finish, encodeOutput) })
      default:
        return Effect.succeed(conclusion)
    }
  }

  const takenBy = (input: Arguments, { workspace }: CheckContext): Effect.Effect<ReadonlyArray<string>> =>
    decodeInput(input).pipe(
      Effect.flatMap((decoded) =>
        Effect.flatMap(further(decoded), (more) => placesOf(workspace, [...paths(decoded), ...more]))
      ),
      // What cannot be decoded is not run.
      Effect.orElseSucceed(() => [])
    )

  return [capability.name, {
    before: (input, context) =>
      decodeInput(input).pipe(
        Effect.flatMap((decoded) => before(decoded, context)),
        Effect.mapError(({ message }) => new CannotCheck({ message })),
        Effect.flatMap((known) => Effect.orDie(encodeState(known))),
        // Which costs as much as a quick look.
        isSlow
          ? Effect.timeoutFail({
            duration: timeBefore,
            onTimeout: () => new CannotCheck({ message: `It took more than ${Duration.format(timeBefore)} to look` })
          })
          : identity
      ),
    kept,
    after: (input, known, context) =>
      Effect.all([decodeInput(input), decodeState(known)]).pipe(
        Effect.flatMap(([decoded, was]) => after(decoded, was, context)),
        Effect.flatMap(encoded),
        Effect.timeoutFail({
          duration: timeAfter,
          onTimeout: () => ({ message: `It took more than ${Duration.format(timeAfter)} to look` })
        }),
        Effect.catchAll(({ message }) => Effect.succeed(unknown(message)))
      ),
    alone: (input, context, effect) => Effect.flatMap(takenBy(input, context), (places) => turns.take(places, effect))
  }]
}
