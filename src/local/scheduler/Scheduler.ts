import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { scopedDiscard } from "../inOrder.js"
import { Drain } from "../protocol/drain.js"
import type { Claim } from "../store/scheduleClaims.js"
import { Schedules } from "../store/Schedules.js"
import * as Cron from "./cron.js"
import * as RunSchedule from "./runSchedule.js"

/** How many runs a gateway makes at a time, and how many of one agent. */
export const mostAtATime = 16
export const mostOfAgent = 4

/**
 * How long nothing is looked at where nothing is due: 5 minutes. What an agent has scheduled with another gateway on the same data is
 * known to that one: this is for when it has ended.
 */
export class LongestSleep extends Context.Reference<LongestSleep>()("kruxos/local/scheduler/LongestSleep", {
  defaultValue: () => Duration.minutes(5)
}) {}

const afterFailure = Duration.seconds(30)

// Agents are paused and resumed by other processes, too, which tell nobody.
const whileHeld = Duration.seconds(10)

const make = Effect.gen(function*() {
  const schedules = yield* Schedules
  const drain = yield* Drain
  const run = yield* RunSchedule.make
  const fibers = yield* FiberSet.make<void>()
  const changed = yield* Effect.makeLatch(false)
  const longestSleep = yield* LongestSleep
  const running = new Map<string, number>()
  let count = 0

  yield* schedules.listen(() => Effect.runSync(changed.open))
  yield* drain.track({ running: () => count })

  const busy = () => [...running].flatMap(([agent, runs]) => runs >= mostOfAgent ? [agent] : [])

  const add = (agent: string, change: 1 | -1) => {
    const runs = (running.get(agent) ?? 0) + change
    count += change
    if (runs === 0) running.delete(agent)
    else running.set(agent, runs)
  }

  const start = (claim: Claim) =>
    Effect.suspend(() => {
      add(claim.agent, 1)
      return FiberSet.run(
        fibers,
        Effect.ensuring(
          Effect.interruptible(run(claim)),
          Effect.zipRight(Effect.sync(() => add(claim.agent, -1)), changed.open)
        )
      )
    })

  // One at a time of an agent that has many waiting, so that no more of it are taken than may run.
  const claimed = Effect.flatMap(Clock.currentTimeMillis, (now) =>
    schedules.claim({
      now,
      most: Math.min(1, mostAtATime - count),
      busy: busy(),
      next: Cron.nextOfExpression
    }))

  // Nothing is taken without being run.
  const look: Effect.Effect<void, Effect.Effect.Error<typeof claimed>> = Effect.uninterruptible(
    Effect.flatMap(
      claimed,
      (claims) => claims.length === 0 ? Effect.succeed(false) : Effect.as(Effect.forEach(claims, start), true)
    )
  ).pipe(Effect.repeat({ while: (found) => found }), Effect.asVoid)

  const untilNext = Effect.gen(function*() {
    const next = count >= mostAtATime ? undefined : yield* schedules.nextDue(busy())
    const longest = next?.isAnyHeld === true ? Duration.min(longestSleep, whileHeld) : longestSleep
    const wait = next?.at === undefined
      ? longest
      : Duration.min(longest, Duration.millis(Math.max(1, next.at - (yield* Clock.currentTimeMillis))))
    yield* Effect.raceFirst(Effect.sleep(wait), changed.await)
  })

  const turn = Effect.zipRight(changed.close, Effect.zipRight(look, untilNext)).pipe(
    Effect.catchAllCause((cause) =>
      Cause.isInterruptedOnly(cause)
        ? Effect.failCause(cause)
        : Effect.zipRight(
          Effect.logWarning("The schedules could not be looked at", cause),
          Effect.sleep(afterFailure)
        )
    )
  )

  yield* Effect.forkScoped(Effect.raceFirst(Effect.forever(turn), drain.begun))
})

/** Runs what agents have scheduled, when it is due, until the gateway stops. */
export const layer = scopedDiscard(make)
