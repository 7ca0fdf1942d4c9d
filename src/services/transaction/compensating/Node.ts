import * as Deferred from "effect/Deferred"
import type * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import { TransactionClosed, type TransactionTimeout } from "../../../errors/general.js"
import type { RollbackReport } from "../../../schema/Rollback.js"
import type { Entry } from "./Entry.js"
import type { UndoContext } from "./Knowledge.js"
import type { Timer } from "./Timer.js"

/** Why a transaction was rolled back. */
export type RolledBackBy = "caller" | "timeout" | "parent"

type State =
  | { readonly _tag: "Open" | "Committing" | "Committed" }
  | { readonly _tag: "RolledBack"; readonly by: RolledBackBy; readonly report: Deferred.Deferred<RollbackReport> }

/** A step that has its turn. */
export interface Running {
  readonly node: Node
  readonly ended: Deferred.Deferred<void>
  /** Ends it with TransactionClosed: nobody waits for its answer any more. */
  readonly cut: () => void
  isWaiting: boolean
}

/** A request for approval was withdrawn, so that it never runs; or it was approved before; or nobody can say. */
export type Withdrawal = "withdrawn" | "decided" | "failed"

/** What a transaction and its savepoints share. */
export interface Root {
  readonly context: UndoContext
  /** Steps with side effects take turns: what one learns of how things were before would be wrong else. */
  readonly turns: Effect.Semaphore
  /** Takes a request for approval out of the queue. Absent where nobody can. */
  readonly withdraw: ((approvalId: string) => Effect.Effect<Withdrawal>) | undefined
  running: Running | undefined
  steps: number
  /** How many entries there are, in all savepoints, and how many characters they keep. */
  entries: number
  kept: number
}

/** A transaction, or a savepoint of one. */
export class Node {
  readonly id: string
  readonly parent: Node | undefined
  readonly root: Root
  readonly timer: Timer
  readonly children = new Set<Node>()
  readonly cut = Deferred.unsafeMake<never, TransactionTimeout | TransactionClosed>(FiberId.none)
  state: State = { _tag: "Open" }
  entries: Array<Entry> = []

  constructor(id: string, parent: Node | undefined, root: Root, timer: Timer) {
    this.id = id
    this.parent = parent
    this.root = root
    this.timer = timer
  }

  /** Whether steps may be made. */
  isOpen(): boolean {
    return this.state._tag === "Open" && this.parent?.isOpen() !== false
  }

  /** Whether it can still be rolled back. */
  isLive(): boolean {
    return this.state._tag === "Open" || this.state._tag === "Committing"
  }

  /** It, and the savepoints in it that are not over. */
  live(): ReadonlyArray<Node> {
    return this.isLive() ? [this, ...[...this.children].flatMap((child) => child.live())] : []
  }

  /** Whether it is another one, or a savepoint in it. */
  isWithin(other: Node): boolean {
    return this === other || this.parent?.isWithin(other) === true
  }

  /** A step waits for a human, or no longer does. */
  pause(isPaused: boolean): void {
    this.timer.pause(isPaused)
    this.parent?.pause(isPaused)
  }

  drop(entry: Entry): void {
    const index = this.entries.indexOf(entry)
    if (index < 0) return
    this.entries.splice(index, 1)
    this.root.entries--
    this.root.kept -= entry.size
  }

  /** Forgets all that is kept for its steps. */
  dropAll(): void {
    for (const { size } of this.entries) this.root.kept -= size
    this.root.entries -= this.entries.length
    this.entries = []
  }

  closed(capability?: string): TransactionClosed {
    return new TransactionClosed({
      message: capability === undefined
        ? `The transaction ${this.id} is over`
        : `The transaction ${this.id} is over: ${capability} cannot be a step of it`,
      transactionId: this.id,
      capability
    })
  }
}
