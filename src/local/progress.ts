import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"

/** How far an invocation has come. */
export interface ProgressReport {
  /** In a unit of the capability's own. It grows: a report that is no more than the one before it goes to nobody. */
  readonly progress: number
  /** What `progress` will be at the end, where that is known. */
  readonly total?: number | undefined
  /**
   * A line that somebody reads, such as one of a program's output: each is told, in their order, as long as whoever asked for them
   * reads them. Reports without one are counts, of which only the newest are told. At most 65,536 characters; the rest is cut off.
   */
  readonly message?: string | undefined
}

/** Takes a report of an invocation; at no cost to speak of, and without ever failing. */
export type ReportProgress = (report: ProgressReport) => void

/** Those whom the progress of one invocation is reported to. */
export class ProgressListeners {
  readonly #all: Set<ReportProgress>

  constructor(first: ReportProgress) {
    this.#all = new Set([first])
  }

  readonly report: ReportProgress = (report) => {
    for (const listener of this.#all) listener(report)
  }

  /** Reports to others too, while an effect runs. */
  readonly alsoTo = (others: ProgressListeners) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => this.#all.add(others.report)),
      () => effect,
      () => Effect.sync(() => this.#all.delete(others.report))
    )
}

/** Who wants to know of what a fiber does, and of what it forks: nobody, unless a request asked for it. */
export const currentProgress = FiberRef.unsafeMake<ProgressListeners | undefined>(undefined)
