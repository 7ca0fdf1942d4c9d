import type * as Effect from "effect/Effect"
import type { InvokeRequest } from "../../connection/InvokeRequest.js"
import type { GatewayError } from "../../errors/gateway.js"
import type {
  RateLimited,
  RollbackIncomplete,
  ServiceUnavailable,
  TransactionClosed,
  TransactionTimeout,
  VersionConflict
} from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { RollbackReport } from "../../schema/Rollback.js"

/**
 * Who undoes what a transaction has done: the gateway by its journal, or this package, step by step, from what it knows of the
 * capabilities.
 */
export type TransactionMode = "gateway" | "compensating"

/** What asking the gateway about a transaction can fail with. */
export type TransactionRequestError = RateLimited | ServiceUnavailable | GatewayError

/**
 * Why a transaction was not committed. It was rolled back then, but for OutcomeUnknown and the other errors of the connection: what the
 * gateway made of it could not be learned.
 */
export type CommitError =
  | TransactionTimeout
  | TransactionClosed
  | VersionConflict
  | RollbackIncomplete
  | TransactionRequestError

/** Makes an invocation on its way to the gateway, in the regions around the transaction. */
export type SendStep = (request: InvokeRequest) => Effect.Effect<unknown, KruxosError>

/** A transaction that was begun, in either mode. */
export interface OpenTransaction {
  readonly id: string
  readonly mode: TransactionMode
  /** Whether steps may still be made. */
  readonly isOpen: () => boolean
  /**
   * Makes an invocation as a step. NotReversible before anything is sent where it cannot be undone, and `request.compensate` does not
   * say how.
   */
  readonly step: (request: InvokeRequest, send: SendStep) => Effect.Effect<unknown, KruxosError>
  /** Commits, once; called again it says the same. */
  readonly commit: Effect.Effect<void, CommitError>
  /** Rolls back what is not committed, once; called again it says the same. Compensations of the caller run first, the last first. */
  readonly rollback: Effect.Effect<RollbackReport, TransactionClosed | TransactionRequestError>
  /** Never succeeds; fails when the transaction was ended by something else than its caller: by its timeout, or by the gateway. */
  readonly cut: Effect.Effect<never, TransactionTimeout | TransactionClosed>
}
