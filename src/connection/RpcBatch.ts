import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { RpcCall, RpcCallFailure } from "./RpcCall.js"

/** How many calls a body has: as many as the local gateway runs of it at a time, so that none waits for the others' turns. */
export const mostCalls = 16

/** How many bytes a body of several calls has: for larger ones a request of their own costs little, and they arrive sooner. */
export const mostBytes = 1024 * 1024

const brackets = 2

/** A call that has not ended. A class as PendingRequest says. */
export class PendingRpc {
  readonly call: RpcCall
  readonly deadline: number
  readonly resume: (end: Effect.Effect<unknown, RpcCallFailure>) => void
  /** Undefined before it is written. */
  text: string | undefined = undefined
  bytes = 0
  /** The body that it goes in. */
  batch: RpcBatch | undefined = undefined
  /** Whether it may have arrived. */
  sent = false
  isAlone: boolean

  constructor(call: RpcCall, deadline: number, resume: (end: Effect.Effect<unknown, RpcCallFailure>) => void) {
    this.call = call
    this.deadline = deadline
    this.resume = resume
    this.isAlone = !call.isShareable
  }
}

/** The calls of one body. Its fiber posts it, and ends when nobody waits for an answer any more. */
export class RpcBatch {
  readonly #calls = new Set<PendingRpc>()
  #bytes = brackets
  #added = 0
  #hasGone = false
  #fiber: Fiber.RuntimeFiber<void> | undefined = undefined
  #isOver = false

  /** The calls that still wait. */
  get calls(): ReadonlySet<PendingRpc> {
    return this.#calls
  }

  get bytes(): number {
    return this.#bytes
  }

  /** How many have ever been added. */
  get added(): number {
    return this.#added
  }

  /** Whether nobody waits for an answer any more: the request is aborted. */
  get isOver(): boolean {
    return this.#isOver
  }

  takes(pending: PendingRpc): boolean {
    return !this.#hasGone && !this.#isOver && this.#calls.size < mostCalls && this.#bytes + pending.bytes < mostBytes
  }

  add(pending: PendingRpc): void {
    pending.batch = this
    this.#calls.add(pending)
    this.#bytes += pending.bytes + 1
    this.#added++
  }

  remove(pending: PendingRpc): void {
    if (!this.#calls.delete(pending) || this.#calls.size > 0) return
    this.#isOver = true
    this.#fiber?.unsafeInterruptAsFork(FiberId.none)
  }

  /** The body, with how many calls; from now on they may arrive, and no other can be added. Several are an array. */
  write(): { readonly text: string; readonly calls: number } {
    this.#hasGone = true
    const texts: Array<string> = []
    for (const pending of this.#calls) {
      pending.sent = true
      if (pending.text !== undefined) texts.push(pending.text)
    }
    const [first, ...others] = texts
    const text = first !== undefined && others.length === 0 ? first : `[${texts.join(",")}]`
    return { text, calls: texts.length }
  }

  /** Says which fiber to end when nobody waits any more; none where the answer has come. */
  postedBy(fiber: Fiber.RuntimeFiber<void> | undefined): void {
    this.#fiber = fiber
  }
}
