import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { TransactionClosed } from "../../../errors/general.js"
import { isComplete } from "../../../schema/Rollback.js"
import { makeIdempotencyKey } from "../../idempotencyKey.js"
import { apartWithin } from "../apart.js"
import { rollbackIncomplete } from "../incomplete.js"
import { once } from "../once.js"
import type { CommitError, OpenTransaction } from "../OpenTransaction.js"
import type { Ask } from "./Knowledge.js"
import { Node, type Root, type Withdrawal } from "./Node.js"
import { rollBack, timedOut } from "./rollBack.js"
import { step } from "./step.js"
import * as Timer from "./Timer.js"
import * as Versions from "./Versions.js"

/** How a transaction is begun whose steps this package undoes itself. */
export interface BeginOptions {
  /** Makes a plain invocation: outside of every region, and so of every transaction. */
  readonly ask: Ask
  /**
   * How long it may take; time in which a step waits for a human does not count. Default: 60 s, and for a savepoint what the
   * transaction around it has left.
   */
  readonly timeoutMillis: number | undefined
  /** The transaction of the same mode that it is a savepoint of. */
  readonly parent: OpenTransaction | undefined
  /**
   * Takes a request for approval out of the queue, unless somebody has decided, and says how it stands then. Absent where nobody can. At
   * most 5 seconds are waited for it.
   */
  readonly withdraw?: ((approvalId: string) => Effect.Effect<{ readonly status: string }, unknown>) | undefined
}

// That of this project's gateway, for one that has none of its own.
const defaultTimeout = Duration.seconds(60)

const withdrawWithin = Duration.seconds(5)

// What stands like this never runs.
const refused = new Set(["withdrawn", "rejected", "expired"])

const nodes = new WeakMap<OpenTransaction, Node>()

const makeRoot = ({ ask, withdraw }: BeginOptions): Root => ({
  context: { ask, versions: Versions.make() },
  turns: Effect.unsafeMakeSemaphore(1),
  withdraw: withdraw &&
    ((approvalId) =>
      apartWithin(withdraw(approvalId), withdrawWithin).pipe(
        Effect.map(({ status }): Withdrawal => refused.has(status) ? "withdrawn" : "decided"),
        Effect.catchAllCause((cause) =>
          Effect.as(
            Effect.logDebug(`The request ${approvalId} for approval could not be withdrawn`, cause),
            "failed" as const
          )
        )
      )),
  running: undefined,
  steps: 0,
  entries: 0,
  kept: 0
})

/** Why one that was rolled back is not committed. */
const refusal = (node: Node): Effect.Effect<never, CommitError> => {
  const { state } = node
  if (state._tag !== "RolledBack" || state.by !== "timeout") return Effect.fail(node.closed())
  return Effect.flatMap(Deferred.await(state.report), (report) => {
    const error = timedOut(node)
    return Effect.fail(isComplete(report) ? error : rollbackIncomplete(node.id, report, error))
  })
}

/** Waits until the step that runs has ended; nobody waits for one that waits for a human. */
const stepEnded = (node: Node): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { running } = node.root
    if (running?.node.isWithin(node) !== true) return Effect.void
    if (running.isWaiting) running.cut()
    return Effect.zipRight(Deferred.await(running.ended), stepEnded(node))
  })

/** Forgets how to undo what was done; what still waits for approval is not to run later. */
const forget = (node: Node): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { withdraw } = node.root
    const pending = node.entries.flatMap(({ pendingApproval }) =>
      pendingApproval === undefined ? [] : [pendingApproval]
    )
    node.dropAll()
    return withdraw === undefined ? Effect.void : Effect.forEach(pending, withdraw, { discard: true })
  })

const commit = (node: Node): Effect.Effect<void, CommitError> =>
  Effect.gen(function*() {
    if (!node.isLive() || node.parent?.isLive() === false) return yield* refusal(node)
    node.state = { _tag: "Committing" }
    yield* Effect.forEach(
      [...node.children].filter((child) => child.isLive()),
      (child) => rollBack(child, "parent"),
      { discard: true }
    )
    yield* stepEnded(node)
    if (node.state._tag !== "Committing") return yield* refusal(node)
    node.state = { _tag: "Committed" }
    const { parent } = node
    if (parent === undefined) return yield* forget(node)
    parent.children.delete(node)
    parent.entries.push(...node.entries)
    node.entries = []
  })

/**
 * Begins one; it has to be committed or rolled back before the scope closes, which only ends the watch over its timeout. When the time
 * is up it is rolled back without being asked to be, and `cut` fails. Fails with TransactionClosed where the parent is over.
 */
export const begin = (options: BeginOptions): Effect.Effect<OpenTransaction, TransactionClosed, Scope.Scope> =>
  Effect.gen(function*() {
    const { parent, timeoutMillis } = options
    const around = parent && nodes.get(parent)
    if (parent !== undefined && around === undefined) {
      return yield* Effect.dieMessage(`${parent.id} is no transaction that this package undoes itself`)
    }
    if (around?.isOpen() === false) return yield* around.closed()
    const timer = timeoutMillis === undefined ? around?.timer : undefined
    const node = new Node(
      makeIdempotencyKey(),
      around,
      around?.root ?? makeRoot(options),
      timer ?? (yield* Timer.make(timeoutMillis ?? Duration.toMillis(defaultTimeout)))
    )
    around?.children.add(node)
    if (timer === undefined) {
      yield* node.timer.elapsed.pipe(
        Effect.zipRight(Effect.suspend(() => node.isLive() ? rollBack(node, "timeout") : Effect.void)),
        Effect.interruptible,
        Effect.forkScoped
      )
    }
    const transaction: OpenTransaction = {
      id: node.id,
      mode: "compensating",
      isOpen: () => node.isOpen(),
      step: (request, send) => step(node, request, send),
      commit: once(commit(node)).effect,
      rollback: Effect.suspend(() => {
        if (node.state._tag === "RolledBack") return Deferred.await(node.state.report)
        return node.state._tag === "Committed" ? Effect.fail(node.closed()) : rollBack(node, "caller")
      }),
      cut: Deferred.await(node.cut)
    }
    nodes.set(transaction, node)
    return transaction
  })
