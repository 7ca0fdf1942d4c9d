import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { BeginError } from "../connection/transactions.js"
import type { TransactionClosed } from "../errors/general.js"
import { isComplete, type RollbackReport } from "../schema/Rollback.js"
import type { Wrappable, Wrapped } from "./ambient.js"
import type { Send } from "./approvalRegion.js"
import type { CapabilitiesService } from "./Capabilities.js"
import type {
  CommitError,
  OpenTransaction,
  TransactionMode,
  TransactionRequestError
} from "./transaction/OpenTransaction.js"
import type { TransactionError, TransactionOptions, TransactionRegion } from "./transaction/region.js"

export type { BeginError } from "../connection/transactions.js"
export type { CommitError, TransactionMode, TransactionRequestError } from "./transaction/OpenTransaction.js"
export type { TransactionError, TransactionOptions } from "./transaction/region.js"

/** A transaction that was begun. */
export interface TransactionHandle {
  /** Its name at the gateway, or one that this package gave it. */
  readonly id: string
  /**
   * Who undoes what is done in it: the gateway by its journal, also when this process ends; or, on a gateway without the feature
   * `transactions`, this package, step by step, by what it knows of the capabilities.
   */
  readonly mode: TransactionMode
  /** Invokes a capability as a step of it: see `Capabilities.invoke`. TransactionClosed where it is over. */
  readonly invoke: CapabilitiesService["invoke"]
  /** As `invoke`, by a name that is not known before run time: see `Capabilities.invokeDynamic`. */
  readonly invokeDynamic: CapabilitiesService["invokeDynamic"]
  /** Inside the effect or stream that this wraps, every invocation at its gateway is a step of it. */
  readonly inside: <T extends Wrappable>(self: T) => Wrapped<T, never, never>
  /**
   * Makes what was done in it last; inside another transaction, a part of that one. Where it fails, everything is rolled back, but for
   * OutcomeUnknown: whether it is committed could not be learned then, within the gateway's `requestTimeout`.
   *
   * - TransactionTimeout: it took longer than it may.
   * - TransactionClosed: the gateway has ended it: its session is over, or a step of it was not approved.
   * - VersionConflict: somebody else has written a key of the state in between. It can be tried again as a whole.
   * - RollbackIncomplete: it was rolled back for such a reason, which is the `cause`, and not all could be undone.
   *
   * A reply that is lost is asked for again. No interruption cuts a commit short.
   */
  readonly commit: Effect.Effect<void, CommitError>
  /**
   * Undoes what was done in it: first by the `compensate` of its steps, the last first, then what the gateway can undo. Tells what was
   * undone and what was not. Asked for again, it says the same. TransactionClosed: it is committed.
   */
  readonly rollback: Effect.Effect<RollbackReport, TransactionClosed | TransactionRequestError>
}

/** All or nothing. Source: the guide's "Transactions". */
export interface TransactionService {
  /** As `Transaction.run`, for this gateway. */
  readonly run: <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options?: TransactionOptions
  ) => Effect.Effect<A, E | TransactionError, R>

  /** As `Transaction.begin`, for this gateway. */
  readonly begin: (options?: TransactionOptions) => Effect.Effect<TransactionHandle, BeginError, Scope.Scope>

  /** As `Transaction.outside`, for this gateway. */
  readonly outside: <T extends Wrappable>(self: T) => Wrapped<T, never, never>
}

const names = (capabilities: ReadonlyArray<string>) => [...new Set(capabilities)].join(", ")

/** Where nobody is there any more who could be told, it is said in the log. */
const rollBackAtLast = ({ id, rollback }: OpenTransaction) =>
  Effect.matchEffect(rollback, {
    onFailure: (error) =>
      Effect.logWarning(`Whether the transaction ${id} was rolled back could not be learned: ${error.message}`),
    onSuccess: (report) =>
      isComplete(report) ? Effect.void : Effect.logWarning(
        `The transaction ${id} was rolled back, and not everything could be undone. Not reversible: ${
          names(report.notReversible) || "nothing"
        }. Changed by somebody else since: ${names(report.conflicts.map(({ resource }) => resource)) || "nothing"}`
      )
  })

/** Makes the service over the region that it speaks for. */
export const make = (
  region: TransactionRegion,
  capabilitiesOver: (send: Send) => Pick<CapabilitiesService, "invoke" | "invokeDynamic">
): TransactionService => {
  const handleOf = (transaction: OpenTransaction, onEnd: () => void): TransactionHandle => {
    const { invoke, invokeDynamic } = capabilitiesOver(region.sendIn(transaction))
    const ending = <A, E>(self: Effect.Effect<A, E>) => Effect.zipRight(Effect.sync(onEnd), self)
    return {
      id: transaction.id,
      mode: transaction.mode,
      invoke,
      invokeDynamic,
      inside: (self) => region.inside(self, transaction),
      commit: ending(transaction.commit),
      rollback: ending(transaction.rollback)
    }
  }

  return {
    run: (self, options = {}) => region.run(self, options),
    begin: (options = {}) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(region.begin(options, restore), (transaction) => {
          let isEnded = false
          return Effect.as(
            Effect.addFinalizer(() => isEnded ? Effect.void : rollBackAtLast(transaction)),
            handleOf(transaction, () => {
              isEnded = true
            })
          )
        })
      ),
    outside: region.outside
  }
}

function outside<T extends Wrappable>(self: T): Wrapped<T, never, Transaction>
function outside(self: Wrappable): Wrappable {
  return Effect.isEffect(self)
    ? Effect.flatMap(Transaction, (transaction) => transaction.outside(self))
    : Stream.unwrap(Effect.map(Transaction, (transaction) => transaction.outside(self)))
}

/** The transactions of the gateway that a Layer connects to. */
export class Transaction extends Context.Tag("kruxos/Transaction")<Transaction, TransactionService>() {
  /**
   * Does all of something, or nothing: every invocation inside, on any of its fibers, is a step of one transaction, which is committed
   * when the effect succeeds, and rolled back when it fails, dies or is interrupted. The failure is then what it was; where not all could
   * be undone, it is the `cause` of RollbackIncomplete, which says what was left (beside an interruption, which stays one).
   *
   * A `run` inside a `run` is a savepoint: when it fails, what was done in it is undone, and the outer one may go on. It is final when
   * the outer one is committed. Several in parallel do not disturb each other.
   *
   * - What cannot be undone fails with NotReversible before it is done, unless `invoke` is told how to `compensate` it.
   * - When the transaction takes longer than its timeout, or the gateway ends it, the effect is interrupted, and `run` fails with
   *   TransactionTimeout or TransactionClosed. Over HTTP, where the gateway cannot say so, it is found at the next step or at the commit.
   * - Writes of `state.persistent` and `state.shared` are seen by nobody else before the commit, which fails with VersionConflict where
   *   somebody else has written such a key in between.
   * - Fibers that are forked inside end with the effect, but for daemons and those of another scope: such a one that goes on after the
   *   end, and still invokes something, gets TransactionClosed.
   *
   * It holds for the invocations of one gateway, and not for work that is handed to a fiber, a queue or a runtime outside.
   */
  static readonly run = <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options?: TransactionOptions
  ): Effect.Effect<A, E | TransactionError, R | Transaction> =>
    Effect.flatMap(Transaction, (transaction) => transaction.run(self, options))

  /**
   * Begins a transaction, for steps that are not one effect. When the scope closes, it is rolled back unless it was committed before;
   * what could not be undone then is said in the log.
   */
  static readonly begin = (
    options?: TransactionOptions
  ): Effect.Effect<TransactionHandle, BeginError, Transaction | Scope.Scope> =>
    Effect.flatMap(Transaction, (transaction) => transaction.begin(options))

  /**
   * Inside what this wraps, an effect or a stream, invocations belong to no transaction, also where `run` wraps it all: they happen at
   * once, and stay.
   */
  static readonly outside: <T extends Wrappable>(self: T) => Wrapped<T, never, Transaction> = (self) => outside(self)
}
