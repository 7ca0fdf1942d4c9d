import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { InvokeRequest } from "../../connection/InvokeRequest.js"
import type { Link } from "../../connection/Link.js"
import * as Wire from "../../connection/transactions.js"
import { OutcomeUnknown } from "../../errors/gateway.js"
import { TransactionClosed, TransactionTimeout } from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import { isComplete, type RollbackReport } from "../../schema/Rollback.js"
import { lastAnswer } from "./apart.js"
import * as Compensations from "./compensations.js"
import { requestError, untilAnswered } from "./ending.js"
import { rollbackIncomplete } from "./incomplete.js"
import { once } from "./once.js"
import type { CommitError, OpenTransaction, SendStep, TransactionRequestError } from "./OpenTransaction.js"

/** A transaction that the gateway undoes. */
export interface GatewayTransaction extends OpenTransaction {
  readonly compensations: Compensations.Compensations
  /** The gateway has ended it by itself. */
  readonly onEnded: (reason: string) => void
  /** Says that something was done in a savepoint of it. */
  readonly addSteps: (count: number) => void
}

/** Where it is, and how long a question to the gateway waits. */
interface At {
  readonly link: Link
  readonly requestTimeoutMillis: number
}

const whys: { readonly [reason: string]: string } = {
  timeout: "it has taken too long",
  approval: "what one of its steps needed approval for was not approved",
  session_end: "its session has ended",
  parent_end: "the transaction around it has ended",
  gateway_stop: "the gateway has stopped"
}

const nothing: RollbackReport = { rolledBack: [], notReversible: [], conflicts: [] }

const asCommitError = (error: KruxosError): CommitError => {
  switch (error._tag) {
    case "TransactionTimeout":
    case "TransactionClosed":
    case "VersionConflict":
      return error
    default:
      return requestError(error)
  }
}

/** Makes one that the gateway has begun; `onOver` is called when nothing more is to be expected of it. */
export const make = (
  { link, requestTimeoutMillis }: At,
  id: string,
  timeout: Duration.Duration | undefined,
  parent: GatewayTransaction | undefined,
  onOver: () => void
): GatewayTransaction => {
  const compensations = Compensations.make()
  const cut = Deferred.unsafeMake<never, TransactionTimeout | TransactionClosed>(FiberId.none)
  let isOver = false
  let endedBy: string | undefined
  let waiting = 0
  let steps = 0
  /** What the gateway has reported of a commit that it refused. */
  let refused: RollbackReport | undefined
  let isInDoubt = false

  const isOpen = (): boolean => !isOver && (parent === undefined || parent.isOpen())

  const closed = (what: string, capability?: string) =>
    new TransactionClosed({
      message: `${what}: the transaction ${id} is over${endedBy === undefined ? "" : ` (${whys[endedBy] ?? endedBy})`}`,
      transactionId: id,
      capability
    })

  const onEnded = (reason: string) => {
    isOver = true
    endedBy = reason
    // Whoever waits for the decision is told what it was, and the transaction around this one is cut too.
    if (reason === "parent_end" || (reason === "approval" && waiting > 0)) return
    Deferred.unsafeDone(
      cut,
      Exit.fail(
        reason === "timeout"
          ? new TransactionTimeout({
            message: `The transaction ${id} took too long, and was rolled back`,
            transactionId: id,
            timeout
          })
          : closed("It was rolled back")
      )
    )
  }

  const watched = (request: InvokeRequest) => {
    let isWaiting = false
    return {
      isWaiting: () => isWaiting,
      request: {
        ...request,
        transactionId: id,
        onWaiting: (begins: boolean) => {
          isWaiting = begins
          waiting += begins ? 1 : -1
          request.onWaiting?.(begins)
        }
      }
    }
  }

  const noticeEnd = (error: KruxosError) =>
    Effect.sync(() => {
      if (error._tag === "TransactionClosed" && error.transactionId === id) isOver = true
    })

  // A step whose caller is interrupted is compensated too, if it was carried out.
  const compensated = (
    name: string,
    compensate: NonNullable<InvokeRequest["compensate"]>,
    sent: Effect.Effect<unknown, KruxosError>,
    isWaiting: () => boolean
  ) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const sending = yield* Effect.forkDaemon(Effect.interruptible(sent))
        const answered = yield* Effect.exit(restore(Fiber.await(sending)))
        const exit = Exit.isSuccess(answered) ? answered.value : yield* lastAnswer(sending, isWaiting())
        if (Exit.isSuccess(exit)) {
          const undo = Effect.suspend(() => compensate(exit.value))
          yield* compensations.add(new Compensations.Compensation(name, undo))
        }
        return yield* Effect.flatten(answered)
      })
    )

  const step = (request: InvokeRequest, send: SendStep): Effect.Effect<unknown, KruxosError> =>
    Effect.suspend(() => {
      const { compensate, name } = request
      if (!isOpen()) return Effect.fail(closed(`${name} was not invoked`, name))
      steps++
      const { isWaiting, request: asked } = watched(request)
      const sent = Effect.tapError(send(asked), noticeEnd)
      return compensate === undefined ? sent : compensated(name, compensate, sent, isWaiting)
    })

  const askToRollBack = Effect.suspend(() => {
    const delivery = { mayHaveArrived: false }
    return untilAnswered((millis) => Wire.rollback(link, id, millis, delivery), requestTimeoutMillis, delivery)
  }).pipe(
    Effect.catchAll((error): Effect.Effect<RollbackReport, TransactionClosed | TransactionRequestError> => {
      if (error._tag === "TransactionClosed") return Effect.fail(error)
      // The gateway ends it by itself, and there is nothing to be undone.
      return steps === 0 ? Effect.succeed(nothing) : Effect.fail(requestError(error))
    })
  )

  // Where it may be committed, nothing may be undone before the gateway has said that it is not.
  const undo = once(
    Effect.gen(function*() {
      isOver = true
      const first = isInDoubt ? yield* askToRollBack : undefined
      const compensated = yield* compensations.run
      return Compensations.withCompensated(first ?? (yield* askToRollBack), compensated)
    }).pipe(Effect.ensuring(Effect.sync(onOver)))
  )

  const fail = (error: CommitError, report: RollbackReport): Effect.Effect<never, CommitError> =>
    Effect.fail(isComplete(report) ? error : rollbackIncomplete(id, report, error))

  const unanswered = (error: KruxosError, { mayHaveArrived }: Wire.Delivery): Effect.Effect<never, CommitError> => {
    if (mayHaveArrived) {
      isInDoubt = true
      return Effect.fail(
        new OutcomeUnknown({
          message: `Whether the transaction ${id} is committed could not be learned: ${error.message}`,
          context: { transaction_id: id },
          cause: error
        })
      )
    }
    // It was never sent, so that it cannot be committed.
    return Effect.matchEffect(undo.effect, {
      onFailure: () => Effect.fail(requestError(error)),
      onSuccess: (report) => fail(requestError(error), report)
    })
  }

  const committing = once(Effect.suspend(() => {
    isOver = true
    const delivery = { mayHaveArrived: false }
    return untilAnswered((millis) => Wire.commit(link, id, millis, delivery), requestTimeoutMillis, delivery).pipe(
      Effect.matchEffect({
        onFailure: (error) => unanswered(error, delivery),
        onSuccess: (answer): Effect.Effect<void, CommitError> => {
          if (answer._tag === "Committed") {
            parent?.addSteps(steps)
            return compensations.handOver(parent?.compensations)
          }
          return Effect.flatMap(compensations.run, (compensated) => {
            refused = Compensations.withCompensated(answer.report, compensated)
            return fail(asCommitError(answer.error), refused)
          })
        }
      }),
      Effect.ensuring(Effect.sync(onOver))
    )
  }))

  const rollback = Effect.suspend((): OpenTransaction["rollback"] =>
    !committing.hasBegun() ? undo.effect : Effect.matchEffect(committing.effect, {
      onSuccess: () => Effect.fail(closed("It cannot be rolled back any more, as it is committed")),
      onFailure: () => refused === undefined ? undo.effect : Effect.succeed(refused)
    })
  )

  return {
    id,
    mode: "gateway",
    isOpen,
    step,
    commit: Effect.suspend(() =>
      undo.hasBegun() && !committing.hasBegun() ? Effect.fail(closed("It cannot be committed")) : committing.effect
    ),
    rollback: Effect.uninterruptible(rollback),
    // With a transaction that was begun by hand around it, nobody else would interrupt what is done in this one.
    cut: parent === undefined
      ? Deferred.await(cut)
      : Effect.raceFirst(
        Deferred.await(cut),
        Effect.mapError(parent.cut, () => closed("It was rolled back"))
      ),
    compensations,
    onEnded,
    addSteps: (count) => {
      steps += count
    }
  }
}
