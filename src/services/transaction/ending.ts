import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Delivery } from "../../connection/transactions.js"
import { ProtocolError } from "../../errors/gateway.js"
import { isGatewayError, type KruxosError } from "../../errors/KruxosError.js"
import { isTransient } from "../waitingOut.js"
import { apart } from "./apart.js"
import type { TransactionRequestError } from "./OpenTransaction.js"

/** One question about the end of a transaction. */
type Ask<A> = (timeoutMillis: number, delivery: Delivery) => Effect.Effect<A, KruxosError>

const shortestWaitMillis = 250

/**
 * Asks until there is an answer, or the time is over: at the gateway, the end of a transaction is the same however often it is asked
 * for. No interruption keeps it from that.
 */
export const untilAnswered = <A>(
  ask: Ask<A>,
  timeoutMillis: number,
  delivery: Delivery
): Effect.Effect<A, KruxosError> => {
  const within = (deadline: number): Effect.Effect<A, KruxosError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const before = delivery.mayHaveArrived
      return Effect.catchAll(ask(deadline - now, delivery), (error) => {
        // It is refused before anybody looks at what it asks for.
        if (error._tag === "RateLimited" || error._tag === "SessionPaused") delivery.mayHaveArrived = before
        if (!isTransient(error)) return Effect.fail(error)
        return Effect.flatMap(Clock.currentTimeMillis, (later) => {
          const wait = Math.max(shortestWaitMillis, Duration.toMillis(error.retryAfter ?? Duration.zero))
          return later + wait >= deadline
            ? Effect.fail(error)
            : Effect.delay(within(deadline), Duration.millis(wait))
        })
      })
    })
  return apart(Effect.flatMap(Clock.currentTimeMillis, (now) => within(now + timeoutMillis)))
}

/** The error as the signatures of commit and rollback have it. */
export const requestError = (error: KruxosError): TransactionRequestError =>
  error._tag === "RateLimited" || error._tag === "ServiceUnavailable" || isGatewayError(error)
    ? error
    : new ProtocolError({ message: `The end of the transaction was refused: ${error.message}`, cause: error })
