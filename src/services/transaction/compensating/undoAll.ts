import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { RollbackConflict } from "../../../schema/Rollback.js"
import { apartWithin, undoWithin } from "../apart.js"
import type { Entry } from "./Entry.js"
import { type ChangedSince, notUndone, type Undone } from "./Knowledge.js"
import type { Node } from "./Node.js"

/** An entry of a transaction or a savepoint. */
export interface Owned {
  readonly node: Node
  readonly entry: Entry
}

/** What came of one of them. */
export interface Result extends Owned {
  readonly undone: Undone
}

const undoOneWithin = Duration.seconds(30)

const outOfTime = "the time for the rollback was over"

const approvalIn = (error: unknown): string | undefined =>
  Predicate.isTagged(error, "ApprovalRequired") && "approvalId" in error && typeof error.approvalId === "string"
    ? error.approvalId
    : undefined

const passing = new Set(["ConnectionFailed", "GatewayTimeout", "OutcomeUnknown", "ProtocolError", "SessionExpired"])

// It looks first, so that it may be done again.
const mayRepeat = (error: unknown): boolean =>
  Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" && passing.has(error._tag)

const annotated = (node: Node, entry: Entry, more: { readonly [name: string]: unknown } = {}) =>
  Effect.annotateLogs({ transaction_id: node.id, capability: entry.capability, ...more })

const failed = ({ entry, node }: Owned, cause: Cause.Cause<unknown>): Effect.Effect<Undone> =>
  Effect.gen(function*() {
    const approvalId = approvalIn(Option.getOrUndefined(Cause.failureOption(cause)))
    if (approvalId === undefined) {
      yield* Effect.logWarning(`${entry.capability} could not be undone`, cause).pipe(annotated(node, entry))
      return notUndone("undoing it failed")
    }
    // It would run later, and no longer look whether it still should.
    const isWithdrawn = (yield* node.root.withdraw?.(approvalId) ?? Effect.succeed("failed")) === "withdrawn"
    yield* Effect.logWarning(
      `${entry.capability} could not be undone: what would undo it needs approval`
        + (isWithdrawn
          ? ", and the request for it is withdrawn"
          : `, and the request ${approvalId} for it is in the queue`),
      cause
    ).pipe(annotated(node, entry, { approval_id: approvalId }))
    return notUndone("what would undo it needs approval")
  })

/** Undoes one step. Nothing interrupts it, and its time is bounded. */
const undoOne = (owned: Owned, timeLeft: Duration.Duration): Effect.Effect<Undone> => {
  const { entry, node } = owned
  if (Duration.toMillis(timeLeft) <= 0) {
    return Effect.logWarning(`${entry.capability} was not undone: ${outOfTime}`).pipe(
      annotated(node, entry),
      Effect.as(notUndone(outOfTime))
    )
  }
  const attempt = entry.isCompensated ? entry.undo : Effect.retry(entry.undo, { times: 1, while: mayRepeat })
  const limit = entry.isCompensated ? timeLeft : Duration.min(timeLeft, undoOneWithin)
  return apartWithin(attempt, limit).pipe(
    Effect.tap((result) =>
      result._tag === "NotReversible"
        ? Effect.logWarning(`${entry.capability} could not be undone: ${result.reason}`).pipe(annotated(node, entry))
        : Effect.void
    ),
    Effect.catchAllCause((cause) => failed(owned, cause))
  )
}

const lastFirst = (one: Owned, other: Owned): number =>
  Number(other.entry.isCompensated) - Number(one.entry.isCompensated) || other.entry.number - one.entry.number

/** Undoes steps, the last first, whatever becomes of each; compensations of callers come before the rest. */
export const undoAll = (steps: ReadonlyArray<Owned>): Effect.Effect<ReadonlyArray<Result>> =>
  Effect.gen(function*() {
    const deadline = (yield* Clock.currentTimeMillis) + Duration.toMillis(undoWithin)
    return yield* Effect.forEach(steps.toSorted(lastFirst), (owned) =>
      Effect.gen(function*() {
        const left = Duration.millis(Math.max(0, deadline - (yield* Clock.currentTimeMillis)))
        return { ...owned, undone: yield* undoOne(owned, left) }
      }))
  }).pipe(Effect.uninterruptible)

const saved = ({ entry, node }: Owned, { resource, save, savedAs }: ChangedSince): Effect.Effect<RollbackConflict> =>
  Effect.map(
    save === undefined || savedAs !== undefined
      ? Effect.succeed(savedAs)
      : apartWithin(save(`before-${node.id}`), undoOneWithin).pipe(
        Effect.catchAllCause((cause) =>
          Effect.as(
            Effect.logWarning(`What was in ${resource} before could not be kept`, cause).pipe(annotated(node, entry)),
            undefined
          )
        )
      ),
    (path) => ({ capability: entry.capability, resource, ...(path === undefined ? {} : { savedAs: path }) })
  )

/**
 * What somebody else has changed, once for each resource: the content from before the transaction is that from before its first step.
 * What is known of it is kept where the report says.
 */
export const conflictsIn = (
  results: ReadonlyArray<Result>
): Effect.Effect<ReadonlyArray<{ readonly node: Node; readonly conflict: RollbackConflict }>> => {
  const first = new Map<string, { readonly owned: Owned; readonly change: ChangedSince }>()
  for (const { entry, node, undone } of results) {
    if (undone._tag !== "Conflict") continue
    for (const change of undone.changes) {
      const known = first.get(change.resource)
      if (known === undefined || known.owned.entry.number > entry.number) {
        first.set(change.resource, { owned: { entry, node }, change })
      }
    }
  }
  return Effect.forEach(
    [...first.values()],
    ({ change, owned }) => Effect.map(saved(owned, change), (conflict) => ({ node: owned.node, conflict }))
  )
}
