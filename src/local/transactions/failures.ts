import * as Duration from "effect/Duration"
import {
  InvalidInput,
  NotReversible,
  ResourceExhausted,
  ServiceUnavailable,
  TransactionClosed,
  TransactionTimeout
} from "../../errors/general.js"
import type { EndedBecause } from "../audit/transactionFacts.js"

export const noSuch = (transactionId: string, field = "transaction_id"): InvalidInput =>
  new InvalidInput({
    message: `There is no transaction ${transactionId.slice(0, 200)} of this agent`,
    field,
    context: { transaction_id: transactionId.slice(0, 200) }
  })

export const closed = (transactionId: string, why = "it is over"): TransactionClosed =>
  new TransactionClosed({ message: `The transaction ${transactionId} takes no more steps: ${why}`, transactionId })

export const otherSession = (transactionId: string): TransactionClosed =>
  closed(transactionId, "it belongs to another session")

export const committed = (transactionId: string): TransactionClosed =>
  new TransactionClosed({ message: `The transaction ${transactionId} is committed`, transactionId })

const timedOut = (transactionId: string, timeoutMillis: number) =>
  new TransactionTimeout({
    message: `The transaction ${transactionId} took longer than ${
      Duration.format(Duration.millis(timeoutMillis))
    }, and was rolled back`,
    transactionId,
    timeout: Duration.millis(timeoutMillis)
  })

const words: { readonly [Why in Exclude<EndedBecause, "timeout">]: string } = {
  request: "its caller has rolled it back",
  conflict: "somebody else has changed a key that it had written",
  approval: "a step was not approved",
  session_end: "its session has ended",
  parent_end: "the transaction around it has ended",
  gateway_stop: "its gateway was stopped"
}

/** What a commit is told of a transaction that was rolled back. */
export const rolledBack = (
  transactionId: string,
  because: EndedBecause,
  timeoutMillis: number
): TransactionTimeout | TransactionClosed =>
  because === "timeout"
    ? timedOut(transactionId, timeoutMillis)
    : new TransactionClosed({
      message: `The transaction ${transactionId} was rolled back: ${words[because]}`,
      transactionId,
      context: { reason: because }
    })

export const notReversible = (capability: string): NotReversible =>
  new NotReversible({
    message:
      `${capability} cannot be undone, so it cannot be a step of a transaction unless its caller compensates for it`,
    capability
  })

export const full = (resource: string, limit: number, what: string): ResourceExhausted =>
  new ResourceExhausted({ message: `${limit} ${what}, as many as there may be`, resource, limit, current: limit })

export const runsElsewhere = (transactionId: string): ServiceUnavailable =>
  new ServiceUnavailable({
    message: `Another gateway on the same data has the transaction ${transactionId}: ask that one`,
    service: "gateway",
    retryAfter: Duration.seconds(1)
  })

/** A rollback has not come to its end; it is gone on with when it is asked for again, and by the gateway itself. */
export const cutOff = (transactionId: string, reason: string, cause?: unknown): ServiceUnavailable =>
  new ServiceUnavailable({
    message: `The rollback of ${transactionId} is not done: ${reason}; ask again`,
    service: "transactions",
    reason,
    retryAfter: Duration.seconds(1),
    cause
  })
