import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { invalidInputOf } from "../../../catalogue/invalidInput.js"
import type { KruxosError } from "../../../errors/KruxosError.js"
import type { Arguments, CheckContext } from "../../recovery/EffectCheck.js"
import { placesOf } from "../../recovery/places.js"
import type { Turns } from "../../recovery/Turns.js"
import type { Conflict, Found, Undo, Undone } from "../Undo.js"

/** {@link Found}, typed. */
export type TypedFound<After> =
  | { readonly _tag: "NotDone" }
  | { readonly _tag: "Done"; readonly after: After }
  | Conflict

/** An {@link Undo}, typed by its capability and by what it keeps in the journal. */
export interface TypedUndo<Input, Output, Before, After> {
  /** None where the handler is going to refuse the arguments, so that its own words are those that the caller gets. */
  readonly before: (
    input: Input,
    context: CheckContext
  ) => Effect.Effect<Option.Option<Before>, KruxosError>
  readonly after: (before: Before, output: Output, input: Input, context: CheckContext) => Effect.Effect<After>
  readonly found: (before: Before, input: Input, context: CheckContext) => Effect.Effect<TypedFound<After>>
  readonly undo: (before: Before, after: After, context: CheckContext) => Effect.Effect<Undone>
  readonly release: (before: Before, context: CheckContext) => Effect.Effect<void>
  /** The paths that it changes, as they were given, the one that conflicts are told of first. */
  readonly paths: (input: Input) => ReadonlyArray<string>
  /** Paths that it changes, too, and that its input does not say. */
  readonly further?: (input: Input) => Effect.Effect<ReadonlyArray<string>>
}

interface Typed<Input, Output> {
  readonly name: string
  readonly handlerInputSchema: Schema.Schema<Input, Arguments>
  readonly outputSchema: Schema.Schema<Output, Arguments>
}

/** An undo of some capability, which takes turns with whatever else changes the same files. */
export type MadeUndo = (turns: Turns) => readonly [string, Undo]

const once = <A>(make: () => A): () => A => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

/** Makes the undo of a capability; the schemas are the forms in which `before` and `after` are kept. */
export const make = <Input, Output, Before, BeforeEncoded, After, AfterEncoded>(
  capability: Typed<Input, Output>,
  states: {
    readonly before: Schema.Schema<Before, BeforeEncoded>
    readonly after: Schema.Schema<After, AfterEncoded>
  },
  { after, before, further = () => Effect.succeed([]), found, paths, release, undo }: TypedUndo<
    Input,
    Output,
    Before,
    After
  >
): MadeUndo => {
  // Most gateways of most tests undo nothing.
  const beforeSchema = once(() => Schema.OptionFromNullOr(states.before))
  const afterSchema = once(() => Schema.OptionFromNullOr(states.after))
  const decoder = once(() => Schema.decodeUnknown(capability.handlerInputSchema))
  const decodeInput = (input: Arguments) => decoder()(input)
  const inputOf = (input: Arguments) => Effect.orDie(decodeInput(input))
  const outputOf = (output: unknown) => Effect.orDie(Schema.decodeUnknown(capability.outputSchema)(output))
  const beforeOf = (known: unknown) => Effect.orDie(Schema.decodeUnknown(beforeSchema())(known ?? null))
  const afterOf = (known: unknown) => Effect.orDie(Schema.decodeUnknown(afterSchema())(known ?? null))
  const encodeBefore = (known: Option.Option<Before>) => Effect.orDie(Schema.encode(beforeSchema())(known))
  const encodeAfter = (known: Option.Option<After>) => Effect.orDie(Schema.encode(afterSchema())(known))

  const resourceOf = (input: Input) => paths(input)[0] ?? capability.name

  return (turns) => [capability.name, {
    before: (input, context) =>
      decodeInput(input).pipe(
        Effect.mapError((error) => invalidInputOf(error, capability.name)),
        Effect.flatMap((decoded) => before(decoded, context)),
        Effect.flatMap(encodeBefore)
      ),
    after: (input, known, output, context) =>
      Effect.gen(function*() {
        const was = yield* beforeOf(known)
        if (Option.isNone(was)) return yield* encodeAfter(Option.none())
        const made = yield* after(was.value, yield* outputOf(output), yield* inputOf(input), context)
        return yield* encodeAfter(Option.some(made))
      }),
    found: (input, known, context): Effect.Effect<Found> =>
      Effect.gen(function*() {
        const was = yield* beforeOf(known)
        if (Option.isNone(was)) return { _tag: "NotDone" }
        const result = yield* found(was.value, yield* inputOf(input), context)
        return result._tag === "Done"
          ? { _tag: "Done", after: yield* encodeAfter(Option.some(result.after)) }
          : result
      }),
    undo: (input, knownBefore, knownAfter, context) =>
      Effect.gen(function*() {
        const was = yield* beforeOf(knownBefore)
        const became = yield* afterOf(knownAfter)
        return Option.isSome(was) && Option.isSome(became)
          ? yield* undo(was.value, became.value, context)
          : { _tag: "Conflict", resource: resourceOf(yield* inputOf(input)) }
      }),
    release: (known, context) =>
      Effect.flatMap(
        beforeOf(known),
        Option.match({ onNone: () => Effect.void, onSome: (was) => release(was, context) })
      ),
    alone: (input, { workspace }, effect) =>
      decodeInput(input).pipe(
        Effect.flatMap((decoded) =>
          Effect.flatMap(further(decoded), (more) => placesOf(workspace, [...paths(decoded), ...more]))
        ),
        // What cannot be decoded is not run.
        Effect.orElseSucceed(() => []),
        Effect.flatMap((places) => turns.take(places, effect))
      )
  }]
}
