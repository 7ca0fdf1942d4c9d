import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AnyCapability } from "../../catalogue/Capability.js"
import type {
  InvalidInput,
  NotReversible,
  ResourceExhausted,
  ServiceUnavailable,
  TransactionClosed,
  TransactionTimeout,
  VersionConflict
} from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { RollbackReport } from "../../schema/Rollback.js"
import type { Invocation } from "../capabilities/Handler.js"
import type { Session } from "../sessions/Session.js"

/** Why a transaction was rolled back without being asked to be. */
export type RolledBackBy = "timeout" | "approval" | "session_end" | "parent_end" | "gateway_stop"

/** A transaction that the gateway has ended by itself. */
export interface Ended {
  readonly transactionId: string
  readonly agent: string
  readonly sessionId: string
  readonly by: RolledBackBy
}

/** What a commit comes to: everything is there, or nothing of what could be undone, because of `error`. */
export type CommitResult =
  | { readonly _tag: "Committed" }
  | {
    readonly _tag: "RolledBack"
    readonly error: TransactionTimeout | TransactionClosed | VersionConflict
    readonly report: RollbackReport
  }

/** A step as it is asked for. */
export interface Step {
  readonly transactionId: string
  readonly capability: AnyCapability
  readonly input: { readonly [name: string]: unknown }
  readonly idempotencyKey: string | undefined
  /** The caller undertakes to undo it: it may run although it cannot be undone here, and is not undone here if it could be. */
  readonly isCompensated: boolean
}

/** The transactions of a running gateway. */
export interface TransactionsService {
  /** Begins one for a session: it ends with the session at the latest. 60 s unless a timeout is given; at most a day. */
  readonly begin: (
    session: Session,
    options: { readonly parent?: string | undefined; readonly timeoutSeconds?: number | undefined }
  ) => Effect.Effect<string, TransactionClosed | InvalidInput | ResourceExhausted | ServiceUnavailable>
  /**
   * Commits one, or a savepoint into the transaction around it, when the steps that run have ended. What it came to is remembered
   * for 24 hours, and said again. Fails with InvalidInput where the agent has no such transaction.
   */
  readonly commit: (
    agent: string,
    transactionId: string
  ) => Effect.Effect<CommitResult, InvalidInput | ServiceUnavailable>
  /** Rolls one back, when the steps that run have been stopped; or says how it was rolled back. TransactionClosed: it is committed. */
  readonly rollback: (
    agent: string,
    transactionId: string
  ) => Effect.Effect<RollbackReport, InvalidInput | TransactionClosed | ServiceUnavailable>
  /**
   * Whether a step may be made: before anybody is asked to approve it. `sessionId` is that of the session, if it is one that asks. Fails
   * with InvalidInput where the agent has no such transaction.
   */
  readonly admit: (
    who: { readonly agent: string; readonly sessionId: string | undefined },
    step: Pick<Step, "transactionId" | "capability" | "isCompensated">
  ) => Effect.Effect<void, TransactionClosed | NotReversible | ResourceExhausted | InvalidInput | ServiceUnavailable>
  /** Runs the handler as a step, so that it can be undone. */
  readonly run: (
    step: Step,
    invocation: Invocation,
    handler: (invocation: Invocation) => Effect.Effect<unknown, KruxosError>
  ) => Effect.Effect<unknown, KruxosError>
  /** A step waits for approval: the timeout is paused as long as one does. */
  readonly waits: (transactionId: string, approvalId: string) => Effect.Effect<void>
  /** It waits no longer: it is approved, or was withdrawn. */
  readonly goesOn: (transactionId: string, approvalId: string) => Effect.Effect<void>
  /** It was rejected, or nobody decided in time: the transaction is rolled back. */
  readonly refused: (transactionId: string, approvalId: string) => Effect.Effect<void>
  /** Calls the listener when a transaction begins to end, in whatever way, until the scope closes: no step of it may begin any more. */
  readonly onEnding: (
    listener: (transactionId: string) => Effect.Effect<void>
  ) => Effect.Effect<void, never, Scope.Scope>
  /** Calls the listener with what the gateway ends by itself from now on, until the scope closes. It must neither wait nor throw. */
  readonly onEnded: (listener: (ended: Ended) => void) => Effect.Effect<void, never, Scope.Scope>
}

export class Transactions
  extends Context.Tag("kruxos/local/transactions/Transactions")<Transactions, TransactionsService>()
{}
