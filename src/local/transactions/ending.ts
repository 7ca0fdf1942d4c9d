import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Scope from "effect/Scope"
import type { ServiceUnavailable, VersionConflict } from "../../errors/general.js"
import { Audit } from "../audit/Audit.js"
import type { EndedBecause, TransactionPlace } from "../audit/transactionFacts.js"
import { Workspaces } from "../sessions/Workspaces.js"
import { storeUnavailable } from "../store/agentFailure.js"
import { type StepRecord, Transactions as Records } from "../store/Transactions.js"
import type { Workspace } from "../workspace/Workspace.js"
import * as Failures from "./failures.js"
import { longestWait, type Open, treeOf } from "./Open.js"
import * as Result from "./result.js"
import type { Timeouts } from "./timeouts.js"
import type { CommitResult, RolledBackBy } from "./Transactions.js"
import { type Outcome, type Placed, reportOf, type UndoSteps } from "./undoSteps.js"

/** What the ends of transactions need of the gateway that has them. */
export interface Around {
  readonly undoSteps: UndoSteps
  readonly timeouts: Timeouts
  /** Whether rollbacks may take their time. */
  readonly mayGoOn: () => boolean
  /** A rollback could not be finished, and has to be tried again. */
  readonly onLeft: Effect.Effect<unknown>
  /** No step of it begins any more. */
  readonly onEnding: (transactionId: string) => Effect.Effect<void>
  /** It has ended, by the gateway itself if `by` says why. */
  readonly onEnded: (open: Open, by: RolledBackBy | undefined) => void
}

const beforeReleasingAgain = "30 seconds"

export const placeOf = ({ id, parent, root, session }: Open): TransactionPlace => ({
  transactionId: id,
  agent: session.agent.name,
  sessionId: session.id,
  savepointOf: parent === undefined ? undefined : { parent: parent.id, root: root.id }
})

const ownBecause = (because: EndedBecause | undefined): RolledBackBy | undefined =>
  because === "request" || because === "conflict" ? undefined : because

/** Makes what commits transactions and rolls them back. */
export const make = ({ mayGoOn, onEnded, onEnding, onLeft, timeouts, undoSteps }: Around) =>
  Effect.gen(function*() {
    const records = yield* Records
    const workspaces = yield* Workspaces
    const audit = yield* Audit
    const releasing = yield* FiberSet.make<boolean>()

    const tellEnding = (open: Open) =>
      Effect.suspend(() => {
        if (open.isEndTold) return Effect.void
        open.isEndTold = true
        return onEnding(open.id)
      })

    const placed = (agent: string, workspace: Workspace, steps: ReadonlyArray<StepRecord>): ReadonlyArray<Placed> =>
      steps.map((step) => ({ step, context: { agent, workspace, source: step.source } }))

    // Nothing of it is needed any more: neither its time, nor what its session would do at its end.
    const ended = (open: Open, result: CommitResult) =>
      Effect.gen(function*() {
        open.result = result
        open.parent?.children.delete(open)
        yield* timeouts.end(open)
        onEnded(open, result._tag === "RolledBack" ? ownBecause(open.because) : undefined)
        const { subscriptions } = open.steps
        if (result._tag === "RolledBack") {
          yield* open.view.drop
          if (subscriptions !== undefined) yield* Scope.close(subscriptions, Exit.void)
        }
        yield* Scope.close(open.scope, Exit.void)
        yield* audit.transaction.ended({
          ...placeOf(open),
          outcome: result._tag === "Committed" ? "committed" : "rolled_back",
          because: open.because ?? "request",
          steps: open.steps.count,
          report: result._tag === "RolledBack" ? result.report : undefined,
          durationMillis: (yield* Clock.currentTimeMillis) - open.beganAt
        })
      })

    const settled = (open: Open) =>
      Effect.timeoutFail(open.steps.idle.await, {
        duration: longestWait,
        onTimeout: () => Failures.cutOff(open.id, "a step that runs does not end")
      })

    // For all of them, so that no step begins in the meantime.
    const stopAll = (tree: ReadonlyArray<Open>, because: EndedBecause) => {
      for (const [index, open] of tree.entries()) {
        open.because ??= index === 0 ? because : "parent_end"
        open.phase = "ending"
        Deferred.unsafeDone(open.stop, Exit.void)
      }
    }

    const results = (
      tree: ReadonlyArray<Open>,
      outcomes: ReadonlyArray<Outcome>,
      conflict: VersionConflict | undefined
    ) =>
      tree.map((open) => {
        const below = treeOf(open)
        const inView = below.flatMap(({ steps }) => steps.inView).reverse()
        return {
          open,
          result: {
            _tag: "RolledBack" as const,
            error: (open === tree[0] ? conflict : undefined) ??
              Failures.rolledBack(open.id, open.because ?? "request", open.timeoutMillis),
            report: reportOf(outcomes, new Set(below.map(({ id }) => id)), inView)
          }
        }
      })

    // To be run by one of a tree at a time.
    const undoTree = (
      open: Open,
      because: EndedBecause,
      conflict?: VersionConflict
    ): Effect.Effect<CommitResult, ServiceUnavailable> =>
      Effect.gen(function*() {
        if (open.result !== undefined) return open.result
        const tree = treeOf(open)
        stopAll(tree, because)
        const ids = tree.map(({ id }) => id)
        const { agent } = open.session
        yield* Effect.forEach(tree, tellEnding, { discard: true })
        yield* Effect.forEach(tree, settled, { discard: true })
        const rolledBack = Effect.gen(function*() {
          const workspace = yield* workspaces.of(agent)
          // It says nothing that the next gateway needs, and the store may have room only when something is undone.
          yield* Effect.ignore(records.end(ids))
          const steps = placed(agent.name, workspace, yield* records.steps(ids))
          const outcomes = yield* undoSteps.undoAll(steps, mayGoOn)
          yield* undoSteps.release(steps)
          const made = results(tree, outcomes, conflict)
          const kept = yield* Effect.forEach(
            made,
            ({ open: { id: transactionId }, result }) =>
              Effect.map(Result.encode(result), (result) => ({ transactionId, result }))
          )
          yield* records.rollback(kept)
          return made
        }).pipe(
          Effect.scoped,
          Effect.catchTags({
            CutOff: ({ reason }) => Failures.cutOff(open.id, reason),
            SqlError: (cause) => Failures.cutOff(open.id, "the gateway's store does not answer", cause),
            WorkspaceUnavailable: (cause) => Failures.cutOff(open.id, "the workspace cannot be opened", cause)
          }),
          Effect.tapError(({ message }) => Effect.logError(message))
        )
        const made = yield* rolledBack
        // The innermost first, as they would have ended by themselves.
        yield* Effect.forEach(made.reverse(), ({ open, result }) => ended(open, result), { discard: true })
        return made[made.length - 1]?.result ?? { _tag: "Committed" as const }
      }).pipe(Effect.tapError(() => onLeft))

    /** From the moment in which it is called no step begins, and it cannot be committed unless it is by then. */
    const stop = (open: Open, because: EndedBecause): void => {
      if (open.phase !== "finishing") stopAll(treeOf(open).filter(({ phase }) => phase !== "finishing"), because)
    }

    /** Rolls back a transaction with all savepoints in it, unless it is committed by then. */
    const rollback = (open: Open, because: EndedBecause): Effect.Effect<CommitResult, ServiceUnavailable> =>
      Effect.suspend(() => {
        stop(open, because)
        return open.turn.withPermits(1)(Effect.suspend(() => undoTree(open, because)))
      })

    const releaseKept = (open: Open) =>
      Effect.gen(function*() {
        const steps = yield* records.steps([open.id])
        if (steps.length === 0) return true
        const workspace = yield* workspaces.of(open.session.agent)
        if (!(yield* undoSteps.release(placed(open.session.agent.name, workspace, steps)))) return false
        yield* records.forgetSteps(open.id)
        return true
      }).pipe(
        Effect.scoped,
        Effect.catchAll((cause) =>
          Effect.as(Effect.logWarning(`What ${open.id} had kept was not removed`, cause), false)
        )
      )

    // What is held back until the commit is not to wait for the next gateway, which does what is left when this one ends.
    const releaseInTheEnd = (open: Open) =>
      Effect.flatMap(releaseKept(open), (isReleased) =>
        isReleased ? Effect.void : FiberSet.run(
          releasing,
          Effect.repeat(Effect.delay(releaseKept(open), beforeReleasingAgain), { until: (isDone) => isDone })
        ))

    const made = (open: Open) =>
      open.parent === undefined
        ? Effect.zipRight(records.durably(open.view.commit(records.commit(open.id))), releaseInTheEnd(open))
        : records.merge(open.id, open.parent.id, open.view.merge)

    const handOver = ({ parent, steps }: Open) => {
      if (parent === undefined) return
      parent.steps.count += steps.count
      parent.steps.inView.push(...steps.inView)
    }

    const finish = (open: Open): Effect.Effect<CommitResult, ServiceUnavailable> =>
      Effect.suspend(() => {
        if (open.result !== undefined) return Effect.succeed(open.result)
        if (open.because !== undefined) return undoTree(open, open.because)
        open.phase = "finishing"
        return made(open).pipe(
          Effect.matchEffect({
            onSuccess: () => {
              handOver(open)
              const result: CommitResult = { _tag: "Committed" }
              return Effect.as(ended(open, result), result)
            },
            onFailure: (error): Effect.Effect<CommitResult, ServiceUnavailable> => {
              if (error._tag === "VersionConflict") return undoTree(open, "conflict", error)
              return Effect.fail(storeUnavailable(error))
            }
          })
        )
      })

    /** Commits a transaction when its steps have ended, unless it is rolled back by then. */
    const commit = (open: Open): Effect.Effect<CommitResult, ServiceUnavailable> =>
      Effect.gen(function*() {
        if (open.phase === "open") open.phase = "committing"
        yield* tellEnding(open)
        yield* Effect.forEach([...open.children], (child) => rollback(child, "parent_end"), { discard: true })
        yield* Effect.raceFirst(open.steps.idle.await, Deferred.await(open.stop))
        return yield* open.turn.withPermits(1)(finish(open))
      }).pipe(
        // Nothing has come of it: it takes steps again, and can be asked for again.
        Effect.tapError(() =>
          Effect.sync(() => {
            if (open.phase === "ending") return
            open.phase = "open"
            open.isEndTold = false
          })
        )
      )

    return { commit, rollback, stop }
  })
