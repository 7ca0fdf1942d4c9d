import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { holding } from "../../connection/untilClose.js"
import { ServiceUnavailable } from "../../errors/general.js"
import { service } from "../inOrder.js"
import { refuseError } from "./Refusal.js"

/** Something that a gateway lets finish before it ends. */
export interface Work {
  /** How much of it runs now. */
  readonly running: () => number
  /** Called while the gateway drains and nothing of it runs; more than once. */
  readonly onIdle?: () => void
}

/** The end of a gateway, which lets finish what runs. */
export interface DrainService {
  /** Whether nothing new may begin any more. */
  readonly isDraining: () => boolean
  /** Done as soon as nothing new may begin: for what waits for something that may take long. */
  readonly begun: Effect.Effect<void>
  /** Has the end wait for this, too, until the scope closes. */
  readonly track: (work: Work) => Effect.Effect<void, never, Scope.Scope>
  /** Begins to drain. Done when nothing runs any more, at most after the grace period. */
  readonly drain: (grace: Duration.Duration) => Effect.Effect<void>
}

export class Drain extends Context.Tag("kruxos/local/Drain")<Drain, DrainService>() {}

/** What a request finds that comes when the gateway is about to end. It was not run. */
export const shuttingDown = new ServiceUnavailable({
  message: "The gateway is shutting down and has not run this: send it again in a moment",
  service: "gateway",
  reason: "shutting down",
  retryAfter: Duration.seconds(1)
})

export const shuttingDownRefusal = refuseError(shuttingDown)

// How often is looked whether something still runs.
const interval = Duration.millis(10)

const make: Effect.Effect<DrainService> = Effect.map(Effect.clock, (clock) => {
  const works = new Set<Work>()
  const begun = Effect.unsafeMakeLatch(false)
  let isDraining = false

  const look = (): number => {
    let total = 0
    for (const { onIdle, running } of works) {
      const count = running()
      total += count
      if (count === 0) onIdle?.()
    }
    return total
  }

  const drain = Effect.fnUntraced(function*(grace: Duration.Duration) {
    isDraining = true
    yield* begun.open
    const deadline = clock.unsafeCurrentTimeMillis() + Duration.toMillis(grace)
    let left = look()
    if (left === 0) return
    yield* Effect.logInfo(`Draining: ${left} requests still run`)
    while (left > 0 && clock.unsafeCurrentTimeMillis() < deadline) {
      yield* clock.sleep(interval)
      left = look()
    }
    yield* left === 0
      ? Effect.logInfo("Drained: all requests have ended")
      : Effect.logWarning(`${left} requests have not ended within ${Duration.format(grace)} and are stopped`)
  })

  return {
    isDraining: () => isDraining,
    begun: begun.await,
    track: (work) => holding(works, work),
    drain
  }
})

export const layer: Layer.Layer<Drain> = service(Drain, make)
