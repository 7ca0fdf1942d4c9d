import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { encodeNotification } from "./jsonRpc.js"
import type { PendingRpc } from "./RpcBatch.js"

/** Tells the gateway of calls that nobody waits for any more. */
export interface RpcCancellations {
  /** Tells of a call at the end of the scheduler's turn, unless the end of its HTTP request stops it. */
  readonly add: (pending: PendingRpc) => void
  /** Done when all that was added has been told. */
  readonly told: Effect.Effect<void>
}

// As many messages as the local gateway takes in one body.
const largestBatch = 1000

const textOf = ({ call }: PendingRpc) =>
  encodeNotification("notifications/cancelled", {
    requestId: call.id,
    session_id: call.sessionId,
    reason: "the caller no longer waits"
  })

const outlivesRequest = ({ batch, call }: PendingRpc) => call.isKeyed || batch?.isOver !== true

/** Its fibers live in the current scope. */
export const make = Effect.fnUntraced(function*(
  tell: (text: string) => Effect.Effect<void>,
  takesBatches: () => boolean
) {
  const telling = yield* FiberSet.make<void>()
  const fork = yield* FiberSet.runtime(telling)()
  const added = new Set<PendingRpc>()

  const tellAll = Effect.suspend(() => {
    const texts = [...added].filter(outlivesRequest).map(textOf)
    added.clear()
    const bodies = takesBatches() && texts.length > 1
      ? Arr.chunksOf(texts, largestBatch).map((some) => `[${some.join(",")}]`)
      : texts
    return Effect.forEach(bodies, tell, { concurrency: 16, discard: true })
  })

  const cancellations: RpcCancellations = {
    add: (pending) => {
      if (added.size === 0) fork(Effect.zipRight(Effect.yieldNow(), tellAll))
      added.add(pending)
    },
    told: FiberSet.awaitEmpty(telling)
  }
  return cancellations
})
