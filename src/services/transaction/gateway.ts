import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Link } from "../../connection/Link.js"
import * as Wire from "../../connection/transactions.js"
import { TransactionClosed } from "../../errors/general.js"
import { type GatewayTransaction, make as makeTransaction } from "./gatewayTransaction.js"
import type { OpenTransaction } from "./OpenTransaction.js"

/** The transactions that the gateway undoes. */
export interface GatewayTransactions {
  /** Begins one; undefined where the gateway has no transactions. */
  readonly begin: (options: {
    readonly timeout: Duration.Duration | undefined
    readonly parent: OpenTransaction | undefined
  }) => Effect.Effect<OpenTransaction | undefined, Wire.BeginError>
}

// More than the gateway has open for an agent at a time.
const mostEarly = 1000

/** Makes them over a link. What the gateway pushes is listened to until the scope closes. */
export const make = (
  link: Link,
  requestTimeoutMillis: number
): Effect.Effect<GatewayTransactions, never, Scope.Scope> =>
  Effect.gen(function*() {
    const open = new Map<string, { readonly transaction: GatewayTransaction; readonly sessionId: string | undefined }>()
    // Ends of transactions that are told before the one who began them knows their ids.
    const early = new Map<string, string>()
    let beginning = 0

    yield* link.listen((notification) => {
      const ended = Wire.readEnded(notification)
      if (ended === undefined) return
      const known = open.get(ended.transactionId)
      if (known !== undefined) known.transaction.onEnded(ended.reason)
      else if (beginning > 0 && early.size < mostEarly) early.set(ended.transactionId, ended.reason)
    })

    // Nobody is told of what ends with a session that is lost.
    yield* link.status.pipe(
      Stream.runForEach((status) =>
        Effect.sync(() => {
          if (status._tag !== "Connected" || status.lost === undefined) return
          for (const { sessionId, transaction } of open.values()) {
            if (sessionId !== status.session.id) transaction.onEnded("session_end")
          }
        })
      ),
      Effect.forkScoped
    )

    return {
      begin: ({ parent, timeout }) =>
        Effect.suspend(() => {
          const around = parent === undefined ? undefined : open.get(parent.id)?.transaction
          if (parent !== undefined && around?.isOpen() !== true) {
            return Effect.fail(
              new TransactionClosed({
                message: `The transaction ${parent.id} is over: no other one can begin inside it`,
                transactionId: parent.id
              })
            )
          }
          beginning++
          const timeoutSeconds = timeout && Duration.toSeconds(timeout)
          return Wire.begin(link, { parent: parent?.id, timeoutSeconds }, requestTimeoutMillis).pipe(
            Effect.map((begun) => {
              if (begun === undefined) return undefined
              const { sessionId, transactionId: id } = begun
              const transaction = makeTransaction(
                { link, requestTimeoutMillis },
                id,
                timeout,
                around,
                () => open.delete(id)
              )
              open.set(id, { transaction, sessionId })
              const reason = early.get(id)
              if (reason !== undefined) transaction.onEnded(reason)
              return transaction
            }),
            Effect.ensuring(Effect.sync(() => {
              if (--beginning === 0) early.clear()
            }))
          )
        })
    }
  })
