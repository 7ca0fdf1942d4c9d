import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Open } from "./Open.js"

/** Runs an effect on a fiber of the gateway's own. */
export type Start = (effect: Effect.Effect<void>) => Effect.Effect<Fiber.RuntimeFiber<void>>

/** A transaction and those around it: what pauses it pauses them. */
const lineOf = (open: Open): ReadonlyArray<Open> => open.parent === undefined ? [open] : [open, ...lineOf(open.parent)]

/** Makes what counts the time of transactions; `onTimeout` is run on a fiber of its own, for one whose time is up. */
export const make = (clock: Clock.Clock, start: Start, onTimeout: (open: Open) => Effect.Effect<void>) => {
  const go = (open: Open) =>
    Effect.suspend(() => {
      const { phase, result, time } = open
      const isOver = phase === "ending" || result !== undefined
      if (isOver || time.running !== undefined || time.waiting.size > 0) return Effect.void
      if (time.remainingMillis === Number.POSITIVE_INFINITY) return Effect.void
      const running = { since: clock.unsafeCurrentTimeMillis() }
      time.running = running
      const expire = Effect.suspend(() =>
        time.running === running ? Effect.asVoid(start(onTimeout(open))) : Effect.void
      )
      const timer = Effect.zipRight(Effect.sleep(Duration.millis(Math.max(0, time.remainingMillis))), expire)
      return Effect.map(start(timer), (fiber) => {
        time.timer = fiber
      })
    })

  const goOn = (open: Open, approvalId: string) =>
    Effect.forEach(lineOf(open), (each) => each.time.waiting.delete(approvalId) ? go(each) : Effect.void, {
      discard: true
    })

  const stop = ({ time }: Open) =>
    Effect.suspend(() => {
      const { running, timer } = time
      if (running === undefined) return Effect.void
      time.remainingMillis -= clock.unsafeCurrentTimeMillis() - running.since
      time.running = undefined
      time.timer = undefined
      return timer === undefined ? Effect.void : Fiber.interruptFork(timer)
    })

  return {
    go,
    /** The time stands still until `goesOn` has been called for every request that is waited for. */
    waits: (open: Open, approvalId: string) =>
      Effect.forEach(lineOf(open), (each) => {
        each.time.waiting.add(approvalId)
        return stop(each)
      }, { discard: true }),
    goesOn: goOn,
    /** Its time does not matter any more, nor what it waited for. */
    end: (open: Open) =>
      Effect.zipRight(
        stop(open),
        Effect.suspend(() => {
          const { parent } = open
          return parent === undefined
            ? Effect.void
            : Effect.forEach([...open.time.waiting], (approvalId) => goOn(parent, approvalId), { discard: true })
        })
      )
  }
}

export type Timeouts = ReturnType<typeof make>
