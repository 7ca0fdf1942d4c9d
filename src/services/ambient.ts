import * as Effect from "effect/Effect"
import type * as FiberRef from "effect/FiberRef"
import * as Stream from "effect/Stream"

/** What an ambient region can wrap: streams, and effects, which are streams too. */
export type Wrappable = Stream.Stream<unknown, unknown, unknown>

/** The type of what was wrapped, without the errors `Without`, and in need of `With`. */
export type Wrapped<T, Without, With> = T extends Effect.Effect<infer A, infer E, infer R>
  ? Effect.Effect<A, Exclude<E, Without>, R | With>
  : T extends Stream.Stream<infer A, infer E, infer R> ? Stream.Stream<A, Exclude<E, Without>, R | With>
  : never

/**
 * Runs something with another value of the reference: an effect, or what a stream does to make its elements, but not what is done
 * with them outside.
 */
export function locally<T extends Wrappable, V>(
  self: T,
  reference: FiberRef.FiberRef<V>,
  value: V
): Wrapped<T, never, never>
export function locally<V>(self: Wrappable, reference: FiberRef.FiberRef<V>, value: V): Wrappable {
  return Effect.isEffect(self)
    ? Effect.locally(self, reference, value)
    // A stream is pulled by whoever runs it, on their fiber.
    : Stream.fromPull(
      Effect.map(
        Effect.locally(Stream.toPull(self), reference, value),
        (pull) => Effect.locally(pull, reference, value)
      )
    )
}

/** Makes a defect of the errors that the type of the result no longer has. */
export function without<T extends Wrappable, Unexpected>(
  self: T,
  isUnexpected: (error: unknown) => error is Unexpected,
  defect: (error: Unexpected) => unknown
): Wrapped<T, Unexpected, never>
export function without<Unexpected>(
  self: Wrappable,
  isUnexpected: (error: unknown) => error is Unexpected,
  defect: (error: Unexpected) => unknown
): Wrappable {
  return Effect.isEffect(self)
    ? Effect.catchAll(self, (error) => isUnexpected(error) ? Effect.die(defect(error)) : Effect.fail(error))
    : Stream.catchAll(self, (error) => isUnexpected(error) ? Stream.die(defect(error)) : Stream.fail(error))
}
