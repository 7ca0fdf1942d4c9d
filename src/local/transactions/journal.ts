import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { Invocation } from "../capabilities/Handler.js"
import type { CheckContext } from "../recovery/EffectCheck.js"
import { storeUnavailable } from "../store/agentFailure.js"
import { type StepEnd, Transactions as Records } from "../store/Transactions.js"
import { classify } from "./classify.js"
import { closed, full, notReversible } from "./failures.js"
import { counted, countOf, type Open } from "./Open.js"
import type { Step } from "./Transactions.js"
import type { Undo } from "./Undo.js"
import { Undos } from "./Undos.js"
import { conflictsOf } from "./undoSteps.js"

/** How many steps a transaction may have with all its savepoints, besides those that there is nothing to undo of. */
export const mostSteps = 1000

export const tooManySteps = full("transaction_steps", mostSteps, "steps are in this transaction")

type Handler = (invocation: Invocation) => Effect.Effect<unknown, KruxosError>

type Work = Effect.Effect<unknown, KruxosError>

const contextOf = ({ agent, sessionId, workspace }: Invocation): CheckContext => ({
  agent: agent.name,
  workspace,
  source: sessionId
})

// What has failed has done nothing, unless it says that nobody knows, or was cut off.
const mayBeDone = (exit: Exit.Exit<unknown, KruxosError>) => {
  if (Exit.isSuccess(exit)) return true
  const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
  return failure === undefined || failure._tag === "OutcomeUnknown" || failure._tag === "GatewayTimeout"
}

/** Makes what runs the steps of transactions, so that they can be undone. */
export const make = Effect.gen(function*() {
  const records = yield* Records
  const undos = yield* Undos

  // What is cut off here is found out about by the rollback.
  const note = (number: number, capability: string, end: StepEnd) =>
    Effect.catchAll(
      records.endStep(number, end),
      (cause) => Effect.logWarning(`The end of a step of ${capability} is not in the journal`, cause)
    )

  const begin = (step: Step, { sessionId }: Invocation, kind: "undoable" | "compensated", before: unknown) =>
    Effect.mapError(
      records.beginStep({
        transactionId: step.transactionId,
        capability: step.capability.name,
        arguments: step.input,
        kind,
        source: sessionId,
        before
      }),
      storeUnavailable
    )

  // A handler that has failed may have done something all the same.
  const settled = (
    step: Step,
    undo: Undo,
    before: unknown,
    context: CheckContext,
    exit: Exit.Exit<unknown, KruxosError>
  ): Effect.Effect<StepEnd> =>
    Exit.isSuccess(exit)
      ? Effect.map(undo.after(step.input, before, exit.value, context), (after) => ({ status: "done", after }))
      : Effect.map(undo.found(step.input, before, context), (found): StepEnd => {
        switch (found._tag) {
          case "NotDone":
            return { status: "failed" }
          case "Done":
            return { status: "done", after: found.after }
          case "Conflict":
            return { status: "conflict", conflicts: conflictsOf(step.capability.name, found) }
        }
      })

  const undoable = (open: Open, step: Step, undo: Undo, invocation: Invocation, handler: Handler): Work => {
    const context = contextOf(invocation)
    const { name } = step.capability
    const work = Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const before = yield* restore(undo.before(step.input, context))
        if (open.phase === "ending") {
          yield* undo.release(before, context)
          return yield* closed(open.id)
        }
        const number = yield* Effect.onError(
          begin(step, invocation, "undoable", before),
          () => undo.release(before, context)
        )
        const exit = yield* Effect.exit(restore(handler(invocation)))
        yield* Effect.flatMap(
          settled(step, undo, before, context, exit),
          (end) => note(number, name, end)
        ).pipe(
          // It stays as it is, and the rollback looks again.
          Effect.catchAllCause((cause) => Effect.logError(`What a step of ${name} has done cannot be told`, cause))
        )
        return yield* exit
      })
    )
    return undo.alone(step.input, context, work)
  }

  const compensated = (step: Step, invocation: Invocation, handler: Handler): Work =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const number = yield* begin(step, invocation, "compensated", undefined)
        let hasBegun = false
        const handled = Effect.suspend(() => {
          hasBegun = true
          return handler(invocation)
        })
        const exit = yield* Effect.exit(restore(handled))
        yield* note(
          number,
          step.capability.name,
          hasBegun && mayBeDone(exit) ? { status: "done", after: undefined } : { status: "failed" }
        )
        return yield* exit
      })
    )

  const inView = (open: Open, step: Step, writes: boolean, invocation: Invocation, handler: Handler): Work =>
    open.view.inside(handler(invocation)).pipe(
      Effect.catchTag("SqlError", (cause) => Effect.fail(storeUnavailable(cause))),
      Effect.tap(() =>
        Effect.sync(() => {
          if (writes) open.steps.inView.push(step.capability.name)
        })
      )
    )

  // Those of a savepoint end with the transaction around it, also where it is committed.
  const subscriptionsOf = (open: Open): Effect.Effect<Scope.Scope> =>
    Effect.suspend(() => {
      const { parent, session, steps } = open
      if (steps.subscriptions !== undefined) return Effect.succeed(steps.subscriptions)
      const around = parent === undefined ? Effect.succeed(session.scope) : subscriptionsOf(parent)
      return Effect.map(
        Effect.flatMap(around, (scope) => Scope.fork(scope, ExecutionStrategy.sequential)),
        (made) => steps.subscriptions ??= made
      )
    })

  // What carries out an approval has a scope of its own, which ends before the transaction does.
  const subscription = (open: Open, invocation: Invocation, handler: Handler): Work =>
    invocation.approvalId === undefined
      ? Effect.flatMap(subscriptionsOf(open), (sessionScope) => handler({ ...invocation, sessionScope }))
      : handler(invocation)

  const worked = (open: Open, step: Step, invocation: Invocation, handler: Handler): Work => {
    const kind = classify(step.capability, open.view, undos)
    if (kind._tag === "Plain") return handler(invocation)
    if (kind._tag === "Subscription") return subscription(open, invocation, handler)
    if (kind._tag === "NotReversible" && !step.isCompensated) return Effect.fail(notReversible(step.capability.name))
    if (countOf(open) >= mostSteps) return Effect.fail(tooManySteps)
    open.steps.count++
    // What its caller undoes must not be undone twice.
    if (step.isCompensated || kind._tag === "NotReversible") return compensated(step, invocation, handler)
    return kind._tag === "InView"
      ? inView(open, step, kind.writes, invocation, handler)
      : undoable(open, step, kind.undo, invocation, handler)
  }

  /** Runs a step; it is interrupted, and TransactionClosed, where its transaction is rolled back meanwhile. */
  return (open: Open, step: Step, invocation: Invocation, handler: Handler): Work =>
    Effect.suspend(() => {
      const over = () => closed(open.id)
      const stopped = Effect.zipRight(Deferred.await(open.stop), Effect.failSync(over))
      const working = Effect.suspend(() => worked(open, step, invocation, handler))
      return counted(open, Effect.raceFirst(working, stopped), over)
    })
})
