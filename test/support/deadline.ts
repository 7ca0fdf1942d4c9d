import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** Dies when an effect takes longer, by default, than ten seconds. */
export const within =
  (what: string, duration: Duration.DurationInput = "10 seconds") =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.timeoutFailCause(effect, { duration, onTimeout: () => deadlinePassed(what) })

const deadlinePassed = (what: string) => Cause.die(new Error(`Waited in vain for ${what}`))

/** Looks every 5 ms until it is so; dies when that takes longer than, by default, ten seconds. */
export const until = <E, R>(
  what: string,
  isSo: Effect.Effect<boolean, E, R>,
  duration?: Duration.DurationInput
): Effect.Effect<void, E, R> =>
  isSo.pipe(
    Effect.repeat({ until: (yes) => yes, schedule: Schedule.spaced("5 millis") }),
    within(what, duration),
    Effect.asVoid
  )
