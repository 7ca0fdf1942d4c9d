import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { KruxosError } from "../../errors/KruxosError.js"
import { Registrations } from "../capabilities/Registrations.js"
import { storeUnavailable } from "../store/agentFailure.js"
import { type ApprovalRecord, ApprovalRequests } from "../store/Approvals.js"
import { Transactions } from "../transactions/Transactions.js"

/** What only the gateway that has the transaction knows of a step that waits for approval. */
export interface WaitingStep {
  readonly transactionId: string
  readonly sessionId: string | undefined
  /** The caller undertakes to undo it. */
  readonly isCompensated: boolean
}

/** Makes what tells transactions of those of their steps that wait for approval. */
export const make = Effect.gen(function*() {
  const records = yield* ApprovalRequests
  const registrations = yield* Registrations
  const transactions = yield* Transactions
  const waiting = new Map<string, WaitingStep>()

  const find = ({ approvalId }: ApprovalRecord) => waiting.get(approvalId)

  const forget = ({ approvalId }: ApprovalRecord) => Effect.sync(() => void waiting.delete(approvalId))

  // The transaction may have begun to end while the request came into the queue: nobody would withdraw it then.
  const admitted = (record: ApprovalRecord, { isCompensated, sessionId, transactionId }: WaitingStep) => {
    const capability = registrations.get(record.capability)?.capability
    return capability === undefined
      ? Effect.void
      : transactions.admit({ agent: record.agent, sessionId }, { transactionId, capability, isCompensated })
  }

  /**
   * Notes that a step waits, and gives its request as it is by then. Where the transaction has begun to end, `withdraw` is told to
   * take the request back, and it fails as `admit` does.
   */
  const wait = (
    record: ApprovalRecord,
    step: WaitingStep,
    withdraw: Effect.Effect<void>
  ): Effect.Effect<ApprovalRecord, KruxosError> =>
    Effect.gen(function*() {
      const { approvalId, status } = record
      if (status !== "pending") return record
      if (!waiting.has(approvalId)) waiting.set(approvalId, step)
      yield* transactions.waits(step.transactionId, approvalId)
      yield* Effect.tapError(admitted(record, step), () => withdraw)
      const now = Option.getOrElse(yield* Effect.mapError(records.get({ approvalId }), storeUnavailable), () => record)
      // It was decided before the transaction knew that it waits.
      if (now.status !== "pending") yield* transactions.goesOn(step.transactionId, approvalId)
      return now
    })

  const tell = (how: "goesOn" | "refused") => ({ approvalId, transactionId }: ApprovalRecord) =>
    Option.match(transactionId, {
      onNone: () => Effect.void,
      onSome: (id) => transactions[how](id, approvalId)
    })

  return { find, forget, goesOn: tell("goesOn"), refused: tell("refused"), wait }
})
