import * as FiberRef from "effect/FiberRef"

/** What becomes of the answer to a request. Whoever carries the request out may change it until the answer is sent. */
export interface Exchange {
  fate: "answer" | "dropReply" | "duplicateReply"
}

/**
 * The request that a fiber works for: fibers that are forked for the work have it too. Undefined where no connection waits for an answer,
 * as with what was approved later.
 */
export const currentExchange = FiberRef.unsafeMake<Exchange | undefined>(undefined)
