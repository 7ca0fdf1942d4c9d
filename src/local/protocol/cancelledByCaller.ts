import * as FiberId from "effect/FiberId"

/**
 * Who interrupts a request whose caller has said that it no longer wants the answer (`notifications/cancelled`). A request that
 * anybody else interrupts has only lost its connection. No fiber has this number; -1 is what Effect's own fiber collections
 * interrupt with when they end.
 */
export const cancelledByCaller: FiberId.FiberId = FiberId.runtime(-2, 0)
