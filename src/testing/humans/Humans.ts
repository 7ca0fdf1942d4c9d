import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { NotAsked } from "./NotAsked.js"
import type { PendingApproval } from "./PendingApproval.js"

/** Which requests a human decides: one by its id, those of a capability by its name, those that a predicate accepts. */
export type Which = string | ((request: PendingApproval) => boolean)

/** How a human decides. */
export interface DecisionOptions {
  /**
   * How long after the request, by the Clock; Infinity for a human who never comes. Default: at once. A request that is withdrawn or
   * expires before is not decided: the human came late.
   */
  readonly after?: Duration.DurationInput | undefined
  /** How many requests are decided so, a whole number; Infinity for all that come, if any do. Default: 1. */
  readonly times?: number | undefined
}

/**
 * Scripted humans. Each decision is for the requests that wait already, the oldest first, and then for those to come, until it is used
 * up; the decisions of a test are tried in the order in which they were made, and a request that one of them is for is left to it. A
 * decision at once is carried out when its effect ends, for the requests that wait by then. One that is not used up fails `verify`.
 */
export interface Humans {
  readonly approve: (which: Which, options?: DecisionOptions) => Effect.Effect<void>
  /** A blank reason is told as a default one. */
  readonly reject: (which: Which, reason: string, options?: DecisionOptions) => Effect.Effect<void>
  /** Lets requests expire although their time has not come, as if nobody had come in time. */
  readonly expire: (which: Which, options?: DecisionOptions) => Effect.Effect<void>
  /** What waits for a decision now, the oldest first. */
  readonly pending: Effect.Effect<ReadonlyArray<PendingApproval>>
  /**
   * Waits until such a request waits for a decision, and gives it, the oldest where there are several. It does not wait by the Clock. A
   * request is seen by it before it is decided, if it is waited for by then. It waits `while` that fiber runs, the program: NotAsked
   * where it ends without such a request. Without a fiber it waits for ever.
   */
  readonly asked: {
    (which: Which, options: { readonly while: Fiber.Fiber<unknown, unknown> }): Effect.Effect<PendingApproval, NotAsked>
    (which: Which): Effect.Effect<PendingApproval>
  }
}
