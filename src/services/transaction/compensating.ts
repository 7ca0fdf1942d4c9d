import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { ServiceUnavailable } from "../../errors/general.js"
import type { BeginOptions } from "./compensating/begin.js"
import type { BeginCompensating } from "./region.js"

const loadWithin = Duration.seconds(30)

const unavailable = (cause: unknown) =>
  new ServiceUnavailable({
    message: "The gateway has no transactions, and what this package undoes steps with could not be loaded",
    cause
  })

/**
 * Loads what undoes steps at a gateway without transactions. It is a tenth of the code that a program needs which only invokes, and
 * most gateways do it themselves: a bundler can put it into a file of its own.
 */
export const loadCompensating = (
  options: Pick<BeginOptions, "ask" | "withdraw">
): Effect.Effect<BeginCompensating, ServiceUnavailable> =>
  Effect.tryPromise({ try: () => import("./compensating/begin.js"), catch: unavailable }).pipe(
    Effect.timeoutFail({ duration: loadWithin, onTimeout: () => unavailable(undefined) }),
    Effect.map(({ begin }): BeginCompensating => ({ parent, timeout }) =>
      begin({ ...options, parent, timeoutMillis: timeout && Duration.toMillis(timeout) })
    )
  )
