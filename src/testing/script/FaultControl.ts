import type * as Effect from "effect/Effect"

/** What a scripted fault needs of the wire and of the gateway as a whole. */
export interface FaultControl {
  /** Cuts every connection. What runs for one of them without an idempotency key is interrupted soon after. */
  readonly dropConnection: Effect.Effect<void>
  /**
   * Begins to kill the gateway, which then starts again on the same data, and returns at once: what calls it within the gateway is
   * interrupted with it.
   */
  readonly restart: Effect.Effect<void>
  /** Loses the answer to the request that this fiber works for. */
  readonly dropReply: Effect.Effect<void>
  /** Lets the answer to the request that this fiber works for arrive twice. */
  readonly duplicateReply: Effect.Effect<void>
}
