import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Scope from "effect/Scope"
import { closedByScope } from "../../connection/call.js"
import type { BeginError } from "../../connection/transactions.js"
import { type ConnectionFailed, OutcomeUnknown } from "../../errors/gateway.js"
import {
  InvalidInput,
  type RollbackIncomplete,
  type ServiceUnavailable,
  TransactionClosed
} from "../../errors/general.js"
import { isComplete } from "../../schema/Rollback.js"
import { locally, type Wrappable, type Wrapped } from "../ambient.js"
import type { Send } from "../approvalRegion.js"
import type { GatewayTransactions } from "./gateway.js"
import { rollbackIncomplete } from "./incomplete.js"
import type { CommitError, OpenTransaction } from "./OpenTransaction.js"

/** How a transaction is begun. */
export interface TransactionOptions {
  /**
   * How long the transaction may take: more than nothing, a day at most. Then it is rolled back. Time in which one of its steps waits for
   * approval does not count. Default: 60 seconds; inside another transaction, what that one has left.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/** What a transaction adds to the errors of what is done in it: those of its begin, and those of its commit. */
export type TransactionError = BeginError | CommitError

/** The region of a gateway in which invocations are the steps of a transaction. */
export interface TransactionRegion {
  readonly send: Send
  /** As `send`, in a transaction. */
  readonly sendIn: (transaction: OpenTransaction) => Send
  /**
   * Begins one, inside the one that there is. It has to be ended before the scope is closed. For use in an uninterruptible region, whose
   * `restore` the wait itself is given, so that none is begun that nobody ends.
   */
  readonly begin: (
    options: TransactionOptions,
    restore: Restore
  ) => Effect.Effect<OpenTransaction, BeginError, Scope.Scope>
  /** Does something in a transaction of its own, and commits it; or rolls it back, if that does not succeed. */
  readonly run: <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options: TransactionOptions
  ) => Effect.Effect<A, E | TransactionError, R>
  /** Runs something in a transaction. */
  readonly inside: <T extends Wrappable>(self: T, transaction: OpenTransaction) => Wrapped<T, never, never>
  /** Runs something outside of every transaction. */
  readonly outside: <T extends Wrappable>(self: T) => Wrapped<T, never, never>
}

/** Makes an effect as interruptible as it was outside of an uninterruptible region. */
type Restore = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Begins a transaction that this package undoes. */
export type BeginCompensating = (options: {
  readonly timeout: Duration.Duration | undefined
  readonly parent: OpenTransaction | undefined
}) => Effect.Effect<OpenTransaction, TransactionClosed, Scope.Scope>

const longestTimeout = Duration.days(1)

const timeoutOf = ({ timeout }: TransactionOptions): Effect.Effect<Duration.Duration | undefined, InvalidInput> => {
  const duration = timeout === undefined ? undefined : Duration.decode(timeout)
  return duration === undefined ||
      (Duration.toMillis(duration) > 0 && Duration.lessThanOrEqualTo(duration, longestTimeout))
    ? Effect.succeed(duration)
    : Effect.fail(
      new InvalidInput({
        message: "The timeout of a transaction is more than nothing, and a day at most",
        field: "timeout"
      })
    )
}

/**
 * Carries out something that must not be lost half-way, and can take its time: whoever is interrupted meanwhile does not wait for it,
 * and what it comes to is then given back.
 */
const givenBack = <A, E>(
  self: Effect.Effect<A, E>,
  giveBack: (value: A) => Effect.Effect<unknown, unknown>,
  restore: Restore,
  scope: Scope.Scope
): Effect.Effect<A, E | ConnectionFailed> =>
  Effect.flatMap(Effect.forkIn(Effect.interruptible(self), scope), (fiber) =>
    restore(fiber.await).pipe(
      Effect.onInterrupt(() =>
        Effect.forkIn(
          Effect.uninterruptible(Effect.flatMap(fiber.await, (exit) =>
            Exit.isSuccess(exit) ? Effect.ignore(giveBack(exit.value)) : Effect.void)),
          scope
        )
      ),
      Effect.flatMap((exit): Effect.Effect<A, E | ConnectionFailed> =>
        Exit.isInterrupted(exit) ? Effect.fail(closedByScope()) : exit
      )
    ))

// What was done inside it would stay when it is rolled back.
const lostWithGateway = ({ id }: OpenTransaction) =>
  new TransactionClosed({
    message: `No transaction was begun: the gateway that is there now does not know the one around it, ${id}`,
    transactionId: id
  })

/** The failure of what was done in a transaction, after it was rolled back. */
const failed = <E>(
  transaction: OpenTransaction,
  cause: Cause.Cause<E>
): Effect.Effect<never, E | RollbackIncomplete | OutcomeUnknown> => {
  const because = (error: RollbackIncomplete | OutcomeUnknown) =>
    // Whoever interrupts is told that it was interrupted.
    Effect.failCause(
      Cause.isInterrupted(cause) && Cause.failureOption(cause)._tag === "None"
        ? Cause.sequential(cause, Cause.fail(error))
        : Cause.fail(error)
    )
  return Effect.matchEffect(transaction.rollback, {
    onSuccess: (report) =>
      isComplete(report)
        ? Effect.failCause(cause)
        : because(rollbackIncomplete(transaction.id, report, Cause.squash(cause))),
    onFailure: (error) =>
      because(
        new OutcomeUnknown({
          message:
            `What was done in the transaction ${transaction.id} failed, and whether it was rolled back could not be learned: `
            + error.message,
          context: { transaction_id: transaction.id },
          cause: Cause.squash(cause)
        })
      )
  })
}

/**
 * Makes the region: `invoke` makes an invocation outside of it. `compensating` is asked for where the gateway has no transactions. What is
 * given back when nobody needs it any more is given back until the scope closes.
 */
export const make = (
  invoke: Send,
  transactions: GatewayTransactions,
  compensating: Effect.Effect<BeginCompensating, ServiceUnavailable>,
  scope: Scope.Scope
): TransactionRegion => {
  // A fiber that is joined does not take those who join it into its transaction.
  const region = FiberRef.unsafeMake<OpenTransaction | undefined>(undefined, { join: (outside) => outside })

  const outside: TransactionRegion["outside"] = (self) => locally(self, region, undefined)

  const sendIn = (transaction: OpenTransaction): Send => (request, fiber) => {
    const { compensate } = request
    return transaction.step(
      // What undoes a step must not be undone itself.
      compensate === undefined ? request : { ...request, compensate: (output) => outside(compensate(output)) },
      (asked) => invoke(asked, fiber)
    )
  }

  const send: Send = (request, fiber) => {
    const transaction = fiber.getFiberRef(region)
    return transaction === undefined ? invoke(request, fiber) : sendIn(transaction)(request, fiber)
  }

  const begin: TransactionRegion["begin"] = (options, restore) =>
    Effect.gen(function*() {
      const timeout = yield* timeoutOf(options)
      const parent = yield* FiberRef.get(region)
      if (parent?.mode !== "compensating") {
        const begun = yield* givenBack(
          transactions.begin({ timeout, parent }),
          (transaction) => transaction?.rollback ?? Effect.void,
          restore,
          scope
        )
        if (begun !== undefined) return begun
        if (parent !== undefined) return yield* lostWithGateway(parent)
      }
      const beginCompensating = yield* restore(compensating)
      return yield* beginCompensating({ timeout, parent })
    })

  return {
    send,
    sendIn,
    begin,
    outside,
    inside: (self, transaction) => locally(self, region, transaction),
    run: (self, options) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(
          Scope.make(),
          (own) =>
            Effect.flatMap(Scope.extend(begin(options, restore), own), (transaction) =>
              Effect.matchCauseEffect(
                restore(
                  Effect.raceFirst(
                    Effect.locally(self, region, transaction),
                    Effect.interruptible(transaction.cut)
                  )
                ),
                {
                  onFailure: (cause) => failed(transaction, cause),
                  onSuccess: (value) => Effect.as(transaction.commit, value)
                }
              )).pipe(Effect.onExit((exit) => Scope.close(own, exit)))
        )
      )
  }
}
