import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import { TransactionTimeout } from "../../../errors/general.js"
import type { RollbackReport } from "../../../schema/Rollback.js"
import { apart } from "../apart.js"
import type { Node, RolledBackBy, Root } from "./Node.js"
import { conflictsIn, type Result, undoAll } from "./undoAll.js"

const stepsEndWithin = Duration.seconds(10)

/** The time of a transaction is up. */
export const timedOut = ({ id, timer }: Node): TransactionTimeout =>
  new TransactionTimeout({
    message: `The transaction ${id} took longer than ${timer.timeoutMillis / 1000} s`,
    transactionId: id,
    timeout: Duration.millis(timer.timeoutMillis)
  })

const cutOff = ({ running }: Root, node: Node, onlyIfWaiting: boolean): void => {
  if (running?.node.isWithin(node) === true && (running.isWaiting || !onlyIfWaiting)) running.cut()
}

/**
 * Takes a turn among the steps, for the undoing. The step that runs may end before; if it takes too long it is cut off. Where the turn
 * cannot be had, because a step of another savepoint waits for a human, it goes without. Gives what gives the turn back.
 */
const takeTurn = (node: Node): Effect.Effect<Effect.Effect<unknown>> =>
  Effect.gen(function*() {
    const { root } = node
    const taking = yield* Effect.forkDaemon(Effect.interruptible(root.turns.take(1)))
    const taken = (within: Duration.Duration) => apart(Effect.timeoutOption(Fiber.await(taking), within))
    cutOff(root, node, true)
    if (Option.isNone(yield* taken(stepsEndWithin))) {
      cutOff(root, node, false)
      yield* taken(stepsEndWithin)
    }
    const exit = yield* Fiber.interrupt(taking)
    return Exit.isSuccess(exit) ? root.turns.release(1) : Effect.void
  })

const reportOf = (
  node: Node,
  results: ReadonlyArray<Result>,
  conflicts: Effect.Effect.Success<ReturnType<typeof conflictsIn>>
): RollbackReport => {
  const own = results.filter((result) => result.node.isWithin(node))
  const named = (tag: Result["undone"]["_tag"]) =>
    own.flatMap(({ entry, undone }) => undone._tag === tag ? [entry.capability] : [])
  return {
    rolledBack: named("Undone"),
    notReversible: named("NotReversible"),
    conflicts: conflicts.flatMap((each) => each.node.isWithin(node) ? [each.conflict] : [])
  }
}

/** The savepoints in a transaction whose own rollback is still going on. */
const stillEnding = (node: Node): ReadonlyArray<Deferred.Deferred<RollbackReport>> =>
  [...node.children].flatMap((child) => [
    ...(child.state._tag === "RolledBack" ? [child.state.report] : []),
    ...stillEnding(child)
  ])

/**
 * Rolls back a transaction that is not over, and the savepoints in it that are not: from the first moment on no step begins. Nothing
 * interrupts it.
 */
export const rollBack = (node: Node, by: RolledBackBy): Effect.Effect<RollbackReport> =>
  Effect.uninterruptible(Effect.suspend(() => {
    const before = stillEnding(node)
    const ending = node.live().map((each) => {
      const report = Deferred.unsafeMake<RollbackReport>(FiberId.none)
      return { node: each, report }
    })
    for (const { node: each, report } of ending) {
      each.state = { _tag: "RolledBack", by: each === node ? by : "parent", report }
      if (each !== node) Deferred.unsafeDone(each.cut, Effect.fail(each.closed()))
    }
    if (by === "timeout") Deferred.unsafeDone(node.cut, Effect.fail(timedOut(node)))
    if (by === "parent") Deferred.unsafeDone(node.cut, Effect.fail(node.closed()))
    return Effect.gen(function*() {
      yield* Effect.forEach(before, Deferred.await, { discard: true })
      const giveBack = yield* takeTurn(node)
      const { conflicts, results } = yield* Effect.gen(function*() {
        const steps = ending.flatMap(({ node: each }) => each.entries.map((entry) => ({ node: each, entry })))
        const results = yield* undoAll(steps)
        return { results, conflicts: yield* conflictsIn(results) }
      }).pipe(Effect.ensuring(giveBack))
      for (const { node: each } of ending) {
        each.dropAll()
        each.parent?.children.delete(each)
      }
      return (each: Node) => reportOf(each, results, conflicts)
    }).pipe(
      Effect.onExit((exit) =>
        Effect.forEach(
          ending,
          ({ node: each, report }) => Deferred.done(report, Exit.map(exit, (reportFor) => reportFor(each))),
          { discard: true }
        )
      ),
      Effect.map((reportFor) => reportFor(node))
    )
  }))
