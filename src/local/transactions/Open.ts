import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { ServiceUnavailable } from "../../errors/general.js"
import type { EndedBecause } from "../audit/transactionFacts.js"
import type { Session } from "../sessions/Session.js"
import type { StateView } from "./StateView.js"
import type { CommitResult } from "./Transactions.js"

/** A transaction, or a savepoint, that has not ended. */
export interface Open {
  readonly id: string
  readonly session: Session
  readonly parent: Open | undefined
  /** The outermost transaction around it; it may be this one. */
  readonly root: Open
  readonly depth: number
  readonly view: StateView
  readonly beganAt: number
  readonly timeoutMillis: number
  /** Closed when it has ended. */
  readonly scope: Scope.CloseableScope
  readonly children: Set<Open>
  /** Done when the steps that run are to stop. */
  readonly stop: Deferred.Deferred<void>
  /** One of the tree at a time is finished or undone. */
  readonly turn: Effect.Semaphore
  readonly steps: Steps
  readonly time: Time
  /** `finishing` can no longer be stopped; `ending` is being rolled back. */
  phase: "open" | "committing" | "finishing" | "ending"
  /** Why it is rolled back. */
  because: EndedBecause | undefined
  /** Those who ask for the commit at the same time have one answer. */
  committing: Fiber.RuntimeFiber<CommitResult, ServiceUnavailable> | undefined
  /** What it came to. */
  result: CommitResult | undefined
  isEndTold: boolean
}

/** What a transaction has done so far, its savepoints' among it that are committed. */
interface Steps {
  count: number
  running: number
  /** Open while none runs. */
  readonly idle: Effect.Latch
  /** The capabilities that have written into the view of the state. */
  readonly inView: Array<string>
  /** What its watches end with, once there are some. */
  subscriptions: Scope.CloseableScope | undefined
}

interface Time {
  /** Infinite where only the transaction around it has a timeout. */
  remainingMillis: number
  /** Undefined while a step waits for approval. Another one each time that it goes on. */
  running: { readonly since: number } | undefined
  timer: Fiber.RuntimeFiber<void> | undefined
  /** The requests for approval that are waited for. */
  readonly waiting: Set<string>
}

/** How long steps may go on that are to stop, and how long one may take to be undone. */
export const longestWait = "30 seconds"

/** None where the transaction around it takes no more: from then on that ends no sooner than this one. */
export const make = (
  { id, parent, session, timeoutMillis, view }: Pick<Open, "id" | "parent" | "session" | "timeoutMillis" | "view">,
  { beganAt, hasOwnTime }: { readonly beganAt: number; readonly hasOwnTime: boolean }
): Effect.Effect<Option.Option<Open>> =>
  Effect.flatMap(Scope.fork(session.scope, ExecutionStrategy.sequential), (scope) => {
    if (parent !== undefined && parent.phase !== "open") {
      return Effect.as(Scope.close(scope, Exit.void), Option.none())
    }
    const own = {
      id,
      session,
      parent,
      depth: parent === undefined ? 1 : parent.depth + 1,
      view,
      beganAt,
      timeoutMillis,
      scope,
      children: new Set<Open>(),
      stop: Deferred.unsafeMake<void>(FiberId.none),
      turn: parent?.turn ?? Effect.unsafeMakeSemaphore(1),
      steps: { count: 0, running: 0, idle: Effect.unsafeMakeLatch(true), inView: [], subscriptions: undefined },
      time: {
        remainingMillis: hasOwnTime ? timeoutMillis : Number.POSITIVE_INFINITY,
        running: undefined,
        timer: undefined,
        waiting: new Set<string>()
      },
      phase: "open" as const,
      because: undefined,
      committing: undefined,
      result: undefined,
      isEndTold: false
    }
    const open: Open = {
      ...own,
      get root() {
        return parent?.root ?? open
      }
    }
    parent?.children.add(open)
    return Effect.succeedSome(open)
  })

/** A transaction and all savepoints in it that have not ended. */
export const treeOf = (open: Open): ReadonlyArray<Open> => [open, ...[...open.children].flatMap(treeOf)]

/** How many steps a whole tree has that can be undone, or that may write into the state. */
export const countOf = ({ root }: Open): number => treeOf(root).reduce((count, { steps }) => count + steps.count, 0)

/**
 * Runs an effect as one of the steps that run, if the transaction takes steps: nothing comes in between, so that whatever ends it waits
 * for the step.
 */
export const counted = <A, E, R, E2>(
  open: Open,
  effect: Effect.Effect<A, E, R>,
  otherwise: () => E2
): Effect.Effect<A, E | E2, R> =>
  Effect.acquireUseRelease(
    Effect.suspend(() => {
      if (open.phase !== "open") return Effect.fail(otherwise())
      open.steps.running++
      open.steps.idle.unsafeClose()
      return Effect.void
    }),
    () => effect,
    () =>
      Effect.sync(() => {
        open.steps.running--
        if (open.steps.running === 0) open.steps.idle.unsafeOpen()
      })
  )
