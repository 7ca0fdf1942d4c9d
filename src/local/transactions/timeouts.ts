import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Open } from "./Open.js"

/** Runs an effect on a fiber of the gateway's own. */
export type Start = (effect: Effect.Effect<void>) => Effect.Effect<Fiber.RuntimeFiber<void>>

/** A transaction and those around it: what pauses it pauses them. */
const lineOf = (open: Open): ReadonlyArray<Open> => open.parent === undefined ? [open] : [open, ...lineOf(open.parent)]

/** Makes what counts the time of transactions; `onTimeout` is run on a fiber of its own, for one whose time is up. */
export const make = (start: Start, onTimeout: (open: Open) => Effect.Effect<void>) => {
  const go = (open: Open) =>
    Effect.gen(function*() {
      const { time } = open
      if (time.runningSince !== undefined || time.remainingMillis === Number.POSITIVE_INFINITY) return
      time.runningSince = yield* Clock.currentTimeMillis
      const expire = Effect.suspend(() => time.waiting.size > 0 ? Effect.void : Effect.asVoid(start(onTimeout(open))))
      time.timer = yield* start(
        Effect.zipRight(Effect.sleep(Duration.millis(Math.max(0, time.remainingMillis))), expire)
      )
    })

  const goOn = (open: Open, approvalId: string) =>
    Effect.forEach(lineOf(open), (each) => {
      const wasWaited = each.time.waiting.delete(approvalId)
      return wasWaited && each.time.waiting.size === 0 && each.phase !== "ending" ? go(each) : Effect.void
    }, { discard: true })

  const stop = ({ time }: Open) =>
    Effect.gen(function*() {
      if (time.runningSince === undefined) return
      time.remainingMillis -= (yield* Clock.currentTimeMillis) - time.runningSince
      time.runningSince = undefined
      const { timer } = time
      time.timer = undefined
      if (timer !== undefined) yield* Fiber.interruptFork(timer)
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
