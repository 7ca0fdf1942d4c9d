import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type ApprovalRecord, ApprovalRequests } from "../store/Approvals.js"

/**
 * Ends requests when their time has passed, until the scope closes, and tells of each that it has ended. `added` is to be run when a
 * request has come into the queue; `expire` ends at once what is due.
 */
export const make = (onExpired: (record: ApprovalRecord) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    const records = yield* ApprovalRequests
    const added = yield* Effect.makeLatch(false)

    const expire = Effect.flatMap(records.expire, Effect.forEach(onExpired, { discard: true })).pipe(
      Effect.catchAll((cause) => Effect.logWarning("Requests for approval could not be ended", cause))
    )

    const untilNextExpiry = Effect.gen(function*() {
      const next = yield* Effect.orElseSucceed(records.nextExpiry, Option.none)
      if (Option.isNone(next)) return yield* added.await
      const wait = Math.max(1, DateTime.distance(yield* DateTime.now, next.value))
      yield* Effect.raceFirst(Effect.sleep(Duration.millis(wait)), added.await)
    })

    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Effect.zipRight(added.close, expire), untilNextExpiry)))
    return { added: added.open, expire }
  })
