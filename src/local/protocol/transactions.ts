import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { recoveryFor } from "../../catalogue/recovery.js"
import { encodeFailure } from "../../errors/encode.js"
import { RollbackReport } from "../../schema/Rollback.js"
import type { Session } from "../sessions/Session.js"
import { type CommitResult, Transactions } from "../transactions/Transactions.js"
import type { Listener } from "./Notification.js"
import { refuseError } from "./Refusal.js"

const encodeReport = Schema.encodeSync(RollbackReport)

const answerOf = (result: CommitResult) => {
  if (result._tag === "Committed") return { success: true }
  const { error, report } = result
  return { success: false, error: encodeFailure(error, recoveryFor(undefined, error)), ...encodeReport(report) }
}

/** What an agent can do with transactions, with the answers as they go on the wire. */
export const make = Effect.gen(function*() {
  const transactions = yield* Transactions

  const begin = (session: Session, parent: string | undefined, timeoutSeconds: number | undefined) =>
    Effect.mapBoth(transactions.begin(session, { parent, timeoutSeconds }), {
      onFailure: refuseError,
      onSuccess: (transactionId) => ({ transaction_id: transactionId })
    })

  const commit = (agent: string, transactionId: string) =>
    Effect.mapBoth(transactions.commit(agent, transactionId), { onFailure: refuseError, onSuccess: answerOf })

  const rollback = (agent: string, transactionId: string) =>
    Effect.mapBoth(transactions.rollback(agent, transactionId), {
      onFailure: refuseError,
      onSuccess: (report) => encodeReport(report)
    })

  /** Tells a session about its transactions from now on: those that the gateway has ended by itself. */
  const tell = ({ id }: Session, listener: Listener) =>
    transactions.onEnded(({ by, sessionId, transactionId }) => {
      if (sessionId !== id) return
      listener({
        method: "notifications/kruxos/transaction_ended",
        params: { transaction_id: transactionId, reason: by }
      })
    })

  return { begin, commit, rollback, tell }
})
