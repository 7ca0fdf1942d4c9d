import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { ResourceExhausted } from "../../../errors/general.js"

const limit = Duration.minutes(1)

const outOfTime = () =>
  new ResourceExhausted({
    message: `The work was given up after ${Duration.format(limit)}: name a smaller directory or a simpler pattern`,
    resource: "time",
    limit: Duration.format(limit)
  })

/** Gives up after a minute with ResourceExhausted. */
export const withinTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | ResourceExhausted, R> =>
  Effect.timeoutFail(effect, { duration: limit, onTimeout: outOfTime })
