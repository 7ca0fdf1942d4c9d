import type { RequestFailure } from "./Peer.js"
import type { Traffic } from "./Traffic.js"

/**
 * A request that a peer is asked to make; it is told, synchronously, what becomes of it: one of the two, once, unless it is stopped.
 *
 * A class, as is all that lives as long as a call: of what a literal makes, the engine counts how much outlives a young collection,
 * and after a burst it makes all that comes from that literal in the old generation, which then keeps what it points to.
 */
export abstract class PendingRequest {
  /** Undefined before it is written. */
  id: number | undefined = undefined
  /** Whether it may have arrived. */
  sent = false
  /** In milliseconds of the peer's clock; Infinity before it is asked. */
  deadline = Infinity
  readonly timeoutMillis: number
  /** Told how large it is and its answer. */
  readonly traffic: Traffic | undefined

  constructor(timeoutMillis: number, traffic: Traffic | undefined) {
    this.timeoutMillis = timeoutMillis
    this.traffic = traffic
  }

  abstract onResult(result: unknown): void

  abstract onFailure(failure: RequestFailure): void
}
