import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * One sleeping fiber for the deadlines of any number of calls. `sweep` ends what is due at the given time and returns
 * the next deadline (Infinity when there is none); times are milliseconds of the given clock.
 */
export interface Deadlines {
  /** Says that a call has been added. Costs nothing unless its deadline is earlier than all others. */
  readonly added: (deadline: number) => void
}

/** Starts the fiber in the current scope. */
export const make = Effect.fnUntraced(function*(clock: Clock.Clock, sweep: (now: number) => number) {
  const latch = yield* Effect.makeLatch(false)
  let wakesAt = Infinity
  const step = Effect.suspend(() => {
    const now = clock.unsafeCurrentTimeMillis()
    latch.unsafeClose()
    wakesAt = sweep(now)
    const wait = Duration.millis(Math.max(1, wakesAt - now))
    return wakesAt === Infinity ? latch.await : Effect.raceFirst(clock.sleep(wait), latch.await)
  })
  yield* Effect.forkScoped(Effect.forever(step))
  const deadlines: Deadlines = {
    added: (deadline) => {
      if (deadline < wakesAt) latch.unsafeOpen()
    }
  }
  return deadlines
})
