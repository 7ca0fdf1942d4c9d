import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"

/** An effect that is carried out once, and to its end, however often it is asked for. */
export interface Once<A, E> {
  readonly effect: Effect.Effect<A, E>
  readonly hasBegun: () => boolean
}

export const once = <A, E>(self: Effect.Effect<A, E>): Once<A, E> => {
  let made: Deferred.Deferred<A, E> | undefined
  return {
    hasBegun: () => made !== undefined,
    effect: Effect.uninterruptible(Effect.suspend(() => {
      if (made !== undefined) return Effect.interruptible(Deferred.await(made))
      const result = Deferred.unsafeMake<A, E>(FiberId.none)
      made = result
      return Effect.onExit(self, (exit) => Deferred.done(result, exit))
    }))
  }
}
