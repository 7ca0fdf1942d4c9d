import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** Measures how long a transaction takes, but for the time in which it is paused. */
export interface Timer {
  readonly timeoutMillis: number
  /** Synchronous, as what it is told by is. Each `true` is followed by a `false`. */
  readonly pause: (isPaused: boolean) => void
  /** Done when the time is up. */
  readonly elapsed: Effect.Effect<void>
}

/** Starts one. */
export const make = (timeoutMillis: number): Effect.Effect<Timer> =>
  Effect.map(Effect.clock, (clock: Clock.Clock): Timer => {
    const now = () => clock.unsafeCurrentTimeMillis()
    const running = Effect.unsafeMakeLatch(true)
    let pauses = 0
    let deadline = now() + timeoutMillis
    let pausedAt = 0

    const elapsed: Effect.Effect<void> = Effect.suspend(() => {
      if (pauses > 0) return Effect.zipRight(running.await, elapsed)
      const left = deadline - now()
      // A pause in between moves the deadline away.
      return left <= 0 ? Effect.void : Effect.zipRight(Effect.sleep(Duration.millis(left)), elapsed)
    })

    return {
      timeoutMillis,
      elapsed,
      pause: (isPaused) => {
        if (isPaused) {
          if (pauses++ > 0) return
          pausedAt = now()
          running.unsafeClose()
        } else if (pauses > 0 && --pauses === 0) {
          deadline += now() - pausedAt
          running.unsafeOpen()
        }
      }
    }
  })
