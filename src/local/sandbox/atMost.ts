import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * Waits for something for a time at most, also where nothing may be interrupted: which of both does not come first is given up there, too.
 * What is waited for must not mind.
 */
export const atMost = (wait: Effect.Effect<unknown>, time: Duration.DurationInput): Effect.Effect<void> =>
  Effect.asVoid(Effect.raceFirst(Effect.interruptible(wait), Effect.interruptible(Effect.sleep(time))))
