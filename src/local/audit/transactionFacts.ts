import type { RollbackReport } from "../../schema/Rollback.js"
import type { RolledBackBy } from "../transactions/Transactions.js"
import type { Fact } from "./chain.js"
import { type About, fact } from "./facts.js"
import { recordedText } from "./recorded.js"

/** A transaction, and where it belongs. */
export interface TransactionPlace {
  readonly transactionId: string
  readonly agent: string
  readonly sessionId: string
  /** Where it is a savepoint: the transaction around it, and the outermost of all, which is often the same. */
  readonly savepointOf?: { readonly parent: string; readonly root: string } | undefined
}

/** A transaction that has begun. */
export interface TransactionBegun extends TransactionPlace {
  readonly timeoutSeconds: number
}

/**
 * Why a transaction has ended: because its agent asked for it, because a commit found a key of the state that somebody else had changed,
 * or what the gateway itself ends one for.
 */
export type EndedBecause = "request" | "conflict" | RolledBackBy

/** A transaction that has ended; `steps` are those that began, its savepoints' among them. */
export interface TransactionEnded extends TransactionPlace {
  readonly outcome: "committed" | "rolled_back"
  readonly because: EndedBecause
  readonly steps: number
  /** What came of the rollback, if it was rolled back. */
  readonly report?: RollbackReport | undefined
  readonly durationMillis: number
}

const aboutOf = ({ agent, savepointOf, sessionId, transactionId }: TransactionPlace) => ({
  agent,
  sessionId,
  transaction: { id: transactionId, root: savepointOf?.root }
})

/** That a transaction has begun. */
export const began = (at: number, begun: TransactionBegun): Fact =>
  fact(at, "transaction_started", aboutOf(begun), {
    parent: begun.savepointOf?.parent,
    timeout_seconds: begun.timeoutSeconds
  })

/** What a transaction has come to. */
export const ended = (at: number, { report, ...transaction }: TransactionEnded): Fact =>
  fact(at, "transaction_ended", aboutOf(transaction), {
    parent: transaction.savepointOf?.parent,
    outcome: transaction.outcome,
    reason: transaction.because,
    steps: transaction.steps,
    rolled_back: report?.rolledBack.length,
    not_reversible: report?.notReversible.length,
    conflicts: report?.conflicts.length,
    duration_ms: transaction.durationMillis
  })

/** Which transactions are around the savepoints that have begun last. */
export interface Roots {
  readonly add: (begun: TransactionPlace) => void
  /** What entries of a step say of its transaction. */
  readonly about: (transactionId: string | undefined) => About["transaction"]
}

// More than are open at a time.
const mostSavepoints = 16_384

/** Makes one that knows of no savepoint. */
export const makeRoots = (): Roots => {
  const roots = new Map<string, string>()
  return {
    add: ({ savepointOf, transactionId }) => {
      if (savepointOf === undefined) return
      roots.set(transactionId, savepointOf.root)
      for (const oldest of roots.keys()) {
        if (roots.size <= mostSavepoints) return
        roots.delete(oldest)
      }
    },
    // An agent can say anything, and is refused then.
    about: (transactionId) =>
      transactionId === undefined
        ? undefined
        : { id: recordedText(transactionId.slice(0, 64)), root: roots.get(transactionId) }
  }
}
