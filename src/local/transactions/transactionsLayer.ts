import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { holding } from "../../connection/untilClose.js"
import { InvalidInput } from "../../errors/general.js"
import { Audit } from "../audit/Audit.js"
import type { EndedBecause } from "../audit/transactionFacts.js"
import { Identifiers } from "../Identifiers.js"
import { scopedService } from "../inOrder.js"
import { Drain } from "../protocol/drain.js"
import { storeUnavailable } from "../store/agentFailure.js"
import { GatewayInstance } from "../store/GatewayInstance.js"
import { Transactions as Records } from "../store/Transactions.js"
import { SweepInterval } from "../SweepInterval.js"
import { classify } from "./classify.js"
import * as Ending from "./ending.js"
import * as Failures from "./failures.js"
import * as Journal from "./journal.js"
import * as Lookup from "./lookup.js"
import { counted, countOf, make as makeOpen, type Open } from "./Open.js"
import * as Recover from "./recover.js"
import { StateViews } from "./StateView.js"
import * as Timeouts from "./timeouts.js"
import { type Ended, Transactions, type TransactionsService } from "./Transactions.js"
import { Undos } from "./Undos.js"
import * as UndoSteps from "./undoSteps.js"

/** How many transactions of an agent may be open, savepoints among them. */
export const mostOpen = 100

/** How many may be within each other. */
export const mostDepth = 32

const defaultTimeoutSeconds = 60

const longestTimeoutSeconds = 86_400

// How long the end of a session, or of the gateway, waits for rollbacks. What is left then is in the journal.
const longestEnd = Duration.seconds(10)

const badTimeout = new InvalidInput({
  message: `A transaction takes more than 0 and at most ${longestTimeoutSeconds} seconds`,
  field: "timeout_seconds"
})

const make = Effect.gen(function*() {
  const records = yield* Records
  const stateViews = yield* StateViews
  const undos = yield* Undos
  const gateway = yield* GatewayInstance
  const drain = yield* Drain
  const audit = yield* Audit
  const clock = yield* Effect.clock
  const identifiers = yield* Identifiers
  const undoSteps = yield* UndoSteps.make
  const runStep = yield* Journal.make
  const all = new Map<string, Open>()
  const listeners = new Set<(transactionId: string) => Effect.Effect<void>>()
  const endedListeners = new Set<(ended: Ended) => void>()
  // Open where a rollback could not be finished.
  const left = yield* Effect.makeLatch(false)
  // Undefined while the gateway runs.
  let mustEndAt: number | undefined
  const mayGoOn = () => mustEndAt === undefined || clock.unsafeCurrentTimeMillis() < mustEndAt

  const recover = yield* Recover.make(undoSteps, mayGoOn, () => [...all.keys()])
  // One at a time, of this gateway's.
  const recovering = yield* Effect.makeSemaphore(1)
  const recoverOnce = recovering.withPermits(1)(recover)
  // A gateway that cannot undo what another one has begun must not serve.
  yield* Effect.catchTag(
    recoverOnce,
    "CutOff",
    ({ reason }) => Effect.logError(`Transactions are left open: ${reason}`)
  )

  const fibers = yield* FiberSet.make<unknown, unknown>()
  const start = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<Fiber.RuntimeFiber<A, E>> =>
    FiberSet.run(fibers, Effect.interruptible(effect))

  const timeouts: Timeouts.Timeouts = Timeouts.make(
    clock,
    start,
    (open) => Effect.ignore(ending.rollback(open, "timeout"))
  )
  const ending: Effect.Effect.Success<ReturnType<typeof Ending.make>> = yield* Ending.make({
    undoSteps,
    timeouts,
    mayGoOn,
    onLeft: left.open,
    onEnding: (transactionId) =>
      Effect.forEach(listeners, (listener) =>
        Effect.catchAllCause(
          listener(transactionId),
          (cause) => Effect.logError(`The end of ${transactionId} was not taken notice of`, cause)
        ), { discard: true }),
    onEnded: (open, by) => {
      all.delete(open.id)
      if (by !== undefined) {
        const ended = { transactionId: open.id, agent: open.session.agent.name, sessionId: open.session.id, by }
        for (const listener of endedListeners) listener(ended)
      }
    }
  })

  const { checkOpen, openOf, ownOf, resultOf } = Lookup.make({ all, records, gateway, recover: recoverOnce })

  const rollBackAll = (which: (open: Open) => boolean, because: EndedBecause) =>
    Effect.suspend(() => {
      const roots = [...all.values()].filter((open) => open.parent === undefined && which(open)).reverse()
      if (roots.length === 0) return Effect.void
      return Effect.flatMap(
        Effect.forEach(roots, (open) => start(Effect.ignore(ending.rollback(open, because)))),
        // Where nothing may interrupt, nothing would end at the timeout either.
        (running) => Effect.timeoutOption(Effect.interruptible(Fiber.awaitAll(running)), longestEnd)
      )
    })

  const begin: TransactionsService["begin"] = (session, { parent: around, timeoutSeconds }) =>
    Effect.gen(function*() {
      const agent = session.agent.name
      if (timeoutSeconds !== undefined && !(timeoutSeconds > 0 && timeoutSeconds <= longestTimeoutSeconds)) {
        return yield* badTimeout
      }
      const parent = around === undefined ? undefined : yield* openOf(agent, around, "parent")
      if (parent !== undefined) yield* checkOpen(parent, session.id)
      if (parent !== undefined && parent.depth >= mostDepth) {
        return yield* Failures.full("transaction_depth", mostDepth, "transactions are within each other")
      }
      if ([...all.values()].filter((open) => open.session.agent.name === agent).length >= mostOpen) {
        return yield* Failures.full("transactions", mostOpen, `transactions of agent ${agent} are open`)
      }
      const id = `txn-${identifiers.uuid()}`
      // A savepoint has the time of the transaction around it, unless it is given one.
      const ownMillis = timeoutSeconds === undefined ? undefined : Math.ceil(timeoutSeconds * 1000)
      const timeoutMillis = ownMillis ?? parent?.timeoutMillis ?? defaultTimeoutSeconds * 1000
      const view = parent === undefined ? yield* stateViews.make : parent.view.nested()
      const beganAt = yield* Clock.currentTimeMillis
      const hasOwnTime = parent === undefined || ownMillis !== undefined
      const made = yield* makeOpen({ id, session, parent, timeoutMillis, view }, { beganAt, hasOwnTime })
      if (Option.isNone(made)) return yield* Failures.closed(around ?? id)
      const open = made.value
      // Counted from here on, also by what begins in the meantime.
      all.set(id, open)
      const noted = records.begin({
        transactionId: id,
        agent,
        sessionId: session.id,
        workspace: session.workspace.root,
        parent: around
      }).pipe(Effect.mapError(storeUnavailable))
      // Where the transaction around it ends meanwhile, it ends after this.
      yield* counted(open, noted, () => Failures.closed(id)).pipe(
        Effect.onError((cause) => {
          all.delete(id)
          parent?.children.delete(open)
          return Scope.close(open.scope, Exit.failCause(cause))
        })
      )
      yield* audit.transaction.began({ ...Ending.placeOf(open), timeoutSeconds: timeoutMillis / 1000 })
      yield* timeouts.go(open)
      yield* Scope.addFinalizer(
        open.scope,
        Effect.suspend(() =>
          open.result === undefined && open.phase !== "ending"
            ? rollBackAll((other) => other.session.id === session.id, "session_end")
            : Effect.void
        )
      )
      return id
    }).pipe(Effect.uninterruptible)

  const commit: TransactionsService["commit"] = (agent, transactionId) =>
    Effect.suspend(() => {
      const open = ownOf(agent, transactionId)
      if (open === undefined) return resultOf(agent, transactionId)
      if (open.committing !== undefined) return Fiber.join(open.committing)
      const forgotten = Effect.sync(() => {
        open.committing = undefined
      })
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(start(Effect.ensuring(ending.commit(open), forgotten)), (fiber) => {
          if (open.result === undefined) open.committing = fiber
          return restore(Fiber.join(fiber))
        })
      )
    })

  const rollback: TransactionsService["rollback"] = (agent, transactionId) =>
    Effect.gen(function*() {
      const open = ownOf(agent, transactionId)
      const result = open === undefined
        ? yield* resultOf(agent, transactionId)
        : yield* Effect.flatMap(start(ending.rollback(open, "request")), Fiber.join)
      return result._tag === "RolledBack" ? result.report : yield* Failures.committed(transactionId)
    })

  const admit: TransactionsService["admit"] = ({ agent, sessionId }, { capability, isCompensated, transactionId }) =>
    Effect.gen(function*() {
      const open = yield* openOf(agent, transactionId)
      yield* checkOpen(open, sessionId)
      const kind = classify(capability, open.view, undos)
      if (kind._tag === "NotReversible" && !isCompensated) return yield* Failures.notReversible(capability.name)
      if (kind._tag !== "Plain" && countOf(open) >= Journal.mostSteps) return yield* Journal.tooManySteps
    })

  const service: TransactionsService = {
    begin,
    commit,
    rollback,
    admit,
    run: (step, invocation, handler) =>
      Effect.suspend(() => {
        const open = ownOf(invocation.agent.name, step.transactionId)
        return open === undefined
          ? Effect.fail(Failures.closed(step.transactionId))
          : runStep(open, step, invocation, handler)
      }),
    waits: (transactionId, approvalId) =>
      Effect.suspend(() => {
        const open = all.get(transactionId)
        return open === undefined || open.phase === "ending" ? Effect.void : timeouts.waits(open, approvalId)
      }),
    goesOn: (transactionId, approvalId) =>
      Effect.suspend(() => {
        const open = all.get(transactionId)
        return open === undefined ? Effect.void : timeouts.goesOn(open, approvalId)
      }),
    refused: (transactionId, approvalId) =>
      Effect.suspend(() => {
        const open = all.get(transactionId)
        if (open === undefined) return Effect.void
        // At once, because whoever is told of it next may ask for the commit.
        ending.stop(open, "approval")
        const rolledBack = start(Effect.ignore(ending.rollback(open, "approval")))
        return Effect.zipRight(rolledBack, timeouts.goesOn(open, approvalId))
      }),
    onEnding: (listener) => holding(listeners, listener),
    onEnded: (listener) => holding(endedListeners, listener)
  }

  // What was left because something was in the way.
  const goOn = Effect.zipRight(left.close, rollBackAll(({ phase }) => phase === "ending", "request"))
  yield* Effect.forkScoped(Effect.forever(Effect.zipRight(left.await, Effect.delay(goOn, "1 minute"))))
  // The same of a gateway that has stopped since.
  const takeOver = Effect.zipRight(recoverOnce, records.sweep).pipe(
    Effect.catchAllCause((cause) =>
      Cause.isInterruptedOnly(cause)
        ? Effect.failCause(cause)
        : Effect.logWarning("Transactions were not looked after", cause)
    )
  )
  const interval = yield* SweepInterval
  yield* Effect.forkScoped(Effect.delay(Effect.repeat(takeOver, Schedule.spaced(interval)), interval))
  // Nobody can commit any more.
  yield* drain.track({ running: () => all.size })
  const committing = (open: Open) => open.phase === "committing" || open.phase === "finishing"
  yield* Effect.forkScoped(Effect.zipRight(drain.begun, rollBackAll((open) => !committing(open), "gateway_stop")))
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      mustEndAt = clock.unsafeCurrentTimeMillis() + Duration.toMillis(longestEnd)
      return rollBackAll(() => true, "gateway_stop")
    })
  )
  return service
})

/** The transactions of a gateway: those that others have left are rolled back when it is there. */
export const layer = scopedService(Transactions, make)
