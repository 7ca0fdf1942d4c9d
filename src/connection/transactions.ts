import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { decodeFailure } from "../errors/decode.js"
import type { InvalidInput, ResourceExhausted, SessionPaused, TransactionClosed } from "../errors/general.js"
import type { ServiceUnavailable } from "../errors/general.js"
import type { KruxosError } from "../errors/KruxosError.js"
import { wireFailureOfAny } from "../errors/wire.js"
import { RollbackReport } from "../schema/Rollback.js"
import { call, type DiscoveryError, discoveryError, errorOf, malformed } from "./invocations.js"
import { Malformed } from "./InvokeRequest.js"
import type { CallFailure, Channel, ChannelFailure, Link, ServerNotification } from "./Link.js"

/** What beginning a transaction can fail with; TransactionClosed where the one around it is over. */
export type BeginError =
  | TransactionClosed
  | InvalidInput
  | ResourceExhausted
  | SessionPaused
  | ServiceUnavailable
  | DiscoveryError

/** What the gateway made of a commit. */
export type RawCommit =
  | { readonly _tag: "Committed" }
  | { readonly _tag: "RolledBack"; readonly error: KruxosError; readonly report: RollbackReport }

/** Whether a request may have reached the gateway, and may have been carried out there. */
export interface Delivery {
  mayHaveArrived: boolean
}

const hasTransactions = ({ features }: Channel) => features.has("transactions")

const beginError = (failure: CallFailure | Malformed): BeginError => {
  const error = errorOf(failure, "transaction.begin")
  switch (error._tag) {
    case "TransactionClosed":
    case "InvalidInput":
    case "ResourceExhausted":
    case "SessionPaused":
    case "ServiceUnavailable":
      return error
    default:
      return discoveryError("transaction.begin")(failure)
  }
}

/** A transaction that the gateway has begun, and the session that it ends with. */
export interface Begun {
  readonly transactionId: string
  readonly sessionId: string | undefined
}

const decodeBegun = Schema.decodeUnknownOption(Schema.Struct({ transaction_id: Schema.NonEmptyString }))

/**
 * Begins a transaction; undefined where the gateway has no transactions. One whose begin is not heard of is empty, and
 * the gateway ends it by its timeout, so that it may be asked for again.
 */
export const begin = (
  link: Link,
  options: { readonly parent: string | undefined; readonly timeoutSeconds: number | undefined },
  timeoutMillis: number
): Effect.Effect<Begun | undefined, BeginError> =>
  Effect.mapError(
    call(
      link,
      { operation: "transaction.begin", timeoutMillis, replayable: true },
      (channel, remaining): Effect.Effect<Begun | undefined, ChannelFailure | Malformed> =>
        hasTransactions(channel)
          ? Effect.flatMap(
            channel.request(
              "transaction.begin",
              { parent: options.parent, timeout_seconds: options.timeoutSeconds },
              remaining
            ),
            (answer) =>
              Option.match(decodeBegun(answer), {
                onNone: () => Effect.fail(malformed("transaction.begin")),
                onSome: (begun) =>
                  Effect.succeed({ transactionId: begun.transaction_id, sessionId: channel.session.id })
              })
          )
          : Effect.succeed(undefined)
    ),
    beginError
  )

/** Asks for the end of a transaction, once: the gateway says the same when it is asked again, over whatever session. */
const askToEnd = <A>(
  link: Link,
  operation: "transaction.commit" | "transaction.rollback",
  transactionId: string,
  timeoutMillis: number,
  delivery: Delivery,
  read: (answer: unknown) => A | undefined
): Effect.Effect<A, KruxosError> =>
  Effect.mapError(
    call(
      link,
      { operation, timeoutMillis, replayable: true },
      (channel, remaining): Effect.Effect<A, ChannelFailure | Malformed> => {
        if (!hasTransactions(channel)) {
          return Effect.fail(
            new Malformed({ message: `The gateway has no ${operation}: it does not have the feature transactions` })
          )
        }
        const before = delivery.mayHaveArrived
        delivery.mayHaveArrived = true
        return channel.request(operation, { transaction_id: transactionId }, remaining).pipe(
          Effect.tapError((failure) =>
            Effect.sync(() => {
              if ("sent" in failure && !failure.sent) delivery.mayHaveArrived = before
            })
          ),
          Effect.flatMap((answer) => {
            const known = read(answer)
            return known === undefined ? Effect.fail(malformed(operation)) : Effect.succeed(known)
          })
        )
      }
    ),
    (failure) => errorOf(failure, operation)
  )

const decodeReport = Schema.decodeUnknownOption(RollbackReport)

const readReport = (answer: unknown): RollbackReport | undefined => Option.getOrUndefined(decodeReport(answer))

const readCommit = (answer: unknown): RawCommit | undefined => {
  if (!Predicate.isRecord(answer)) return undefined
  if (answer["success"] === true) return { _tag: "Committed" }
  const report = answer["success"] === false ? readReport(answer) : undefined
  return report && { _tag: "RolledBack", error: decodeFailure(wireFailureOfAny(answer["error"])), report }
}

/** Asks to commit a transaction. */
export const commit = (link: Link, transactionId: string, timeoutMillis: number, delivery: Delivery) =>
  askToEnd(link, "transaction.commit", transactionId, timeoutMillis, delivery, readCommit)

/** Asks to roll a transaction back. */
export const rollback = (link: Link, transactionId: string, timeoutMillis: number, delivery: Delivery) =>
  askToEnd(link, "transaction.rollback", transactionId, timeoutMillis, delivery, readReport)

/** A transaction that the gateway has ended by itself, and why. */
export interface Ended {
  readonly transactionId: string
  readonly reason: string
}

const decodeEnded = Schema.decodeUnknownOption(
  Schema.Struct({ transaction_id: Schema.String, reason: Schema.optional(Schema.String) })
)

/** What a notification says of the end of a transaction; undefined where it is about something else. */
export const readEnded = ({ method, params }: ServerNotification): Ended | undefined => {
  if (method !== "notifications/kruxos/transaction_ended") return undefined
  const ended = Option.getOrUndefined(decodeEnded(params))
  return ended && { transactionId: ended.transaction_id, reason: ended.reason ?? "" }
}
