import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Duplex } from "./Duplex.js"

/** How many bytes a duplex may hold before requests wait: 64 MiB. */
export const defaultBytes = 64 * 1024 * 1024

// How often the duplex is looked at, while something waits.
const interval = Duration.millis(10)

/**
 * Requests that wait, unwritten, because the duplex holds more bytes than it may. When it has fallen to half of that, they are
 * started in the order in which they came.
 */
export interface SendQueue<A> {
  /** Whether a request may be sent without waiting. */
  readonly isFree: () => boolean
  readonly add: (request: A, start: () => void) => void
  readonly remove: (request: A) => void
  /** Those that wait, oldest first; they may be removed meanwhile. */
  readonly waiting: () => Iterable<A>
}

/** Makes a queue whose one fiber ends with the current scope, and sleeps while nothing waits. */
export const make = <A>(clock: Clock.Clock, { bufferedBytes }: Pick<Duplex, "bufferedBytes">, limit: number) =>
  Effect.gen(function*() {
    const waiting = new Map<A, () => void>()
    const latch = yield* Effect.makeLatch(false)

    const startWaiting = () => {
      if (bufferedBytes() > limit / 2) return
      for (const [request, start] of waiting) {
        if (bufferedBytes() > limit) return
        waiting.delete(request)
        start()
      }
    }

    const look = Effect.suspend(() => {
      startWaiting()
      if (waiting.size > 0) return clock.sleep(interval)
      latch.unsafeClose()
      return latch.await
    })
    yield* Effect.forkScoped(Effect.forever(look))

    const queue: SendQueue<A> = {
      isFree: () => waiting.size === 0 && bufferedBytes() <= limit,
      add: (request, start) => {
        waiting.set(request, start)
        latch.unsafeOpen()
      },
      remove: (request) => void waiting.delete(request),
      waiting: () => waiting.keys()
    }
    return queue
  })
