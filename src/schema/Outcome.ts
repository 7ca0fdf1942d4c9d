import * as Data from "effect/Data"
import type * as Either from "effect/Either"

/**
 * What has become of an invocation, by its idempotency key:
 *
 * - `Running`: it has not ended yet.
 * - `Done`: it ended with this result, be it a failure.
 * - `Unknown`: it began, and nobody knows what it has done: it was cancelled, or the gateway was cut off.
 * - `NotFound`: the gateway has no record of it. It never came there, it was put off without effect, or it ended more than 24 hours
 *   ago.
 */
export type Outcome<A, E> = Data.TaggedEnum<{
  Running: {}
  Done: { readonly result: Either.Either<A, E> }
  Unknown: {}
  NotFound: {}
}>

interface OutcomeDefinition extends Data.TaggedEnum.WithGenerics<2> {
  readonly taggedEnum: Outcome<this["A"], this["B"]>
}

export const Outcome = Data.taggedEnum<OutcomeDefinition>()
