import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Redacted from "effect/Redacted"
import { cancellableAsync } from "./cancellableAsync.js"
import * as Deadlines from "./Deadlines.js"
import { byteLength, maximumFrameBytes } from "./Duplex.js"
import { encodeRequest } from "./jsonRpc.js"
import { DeadlinePassed, tooLarge, type Unsendable, unsendable } from "./Peer.js"
import * as RpcAnswers from "./rpcAnswers.js"
import { mostCalls, PendingRpc, RpcBatch } from "./RpcBatch.js"
import type { RpcCall, RpcCallFailure } from "./RpcCall.js"
import * as RpcCancellations from "./rpcCancellations.js"
import * as RpcPost from "./rpcPost.js"

/** Calls of one `/rpc`. */
export interface RpcRequests {
  /**
   * Asks. Calls that are made at the same time go together, whichever fibers make them; each has its own deadline, failure and
   * interruption, of which the gateway is told where the end of the HTTP request would not stop it.
   */
  readonly ask: (call: RpcCall) => Effect.Effect<unknown, RpcCallFailure>
  /** Posts a message whose answer nobody looks at. */
  readonly tell: (text: string) => Effect.Effect<void>
  /** Tells the gateway to stop what it would go on with, and drops all that is unanswered. */
  readonly end: Effect.Effect<void>
}

interface RpcRequestsOptions {
  readonly apiKey: Redacted.Redacted<string>
  /** Calls wait, unwritten, while bodies of more bytes than this are on their way. */
  readonly sendQueueBytes: number
  /** How long the gateway may take to hear what is not a request. */
  readonly tellTimeoutMillis: number
}

const abandoned = (sent: boolean) => RpcPost.dropped("this side has ended the connection", sent)

// What forked fibers ask at once comes within a few turns of the scheduler, which take microseconds.
const quietTurns = 3

/** Waits until nobody has come for some turns of the scheduler: no time passes meanwhile. */
const untilQuiet = (batch: RpcBatch) =>
  Effect.gen(function*() {
    let known = batch.added
    for (let turn = 0; turn < quietTurns && known < mostCalls;) {
      yield* Effect.yieldNow()
      turn = batch.added === known ? turn + 1 : 0
      known = batch.added
    }
  })

const textOf = ({ id, method, params }: RpcCall): string | Unsendable => {
  try {
    return encodeRequest(id, method, params)
  } catch (cause) {
    return unsendable(cause)
  }
}

/** Makes the way to a `/rpc`. Its fibers live in the current scope. */
export const make = Effect.fnUntraced(function*(
  url: string,
  { apiKey, sendQueueBytes, tellTimeoutMillis }: RpcRequestsOptions
) {
  const clock = yield* Effect.clock
  const post = yield* RpcPost.make(url, apiKey)
  const fork = yield* FiberSet.makeRuntime<never, void, never>()
  const all = new Set<PendingRpc>()
  // Unwritten, for lack of room.
  const waiting = new Set<PendingRpc>()
  let bytesOnTheWay = 0
  let hasRoom = true
  let gathering: RpcBatch | undefined
  let takesBatches = true
  let isOver = false

  const tell: RpcRequests["tell"] = (text) =>
    post(Effect.succeed({ text, answers: 1 })).pipe(
      Effect.interruptible,
      Effect.timeoutOption(tellTimeoutMillis),
      Effect.ignore
    )
  const cancellations = yield* RpcCancellations.make(tell, () => takesBatches)

  const settle = (pending: PendingRpc, end: Effect.Effect<unknown, RpcCallFailure>) => {
    if (!all.delete(pending)) return
    waiting.delete(pending)
    pending.batch?.remove(pending)
    pending.resume(end)
  }

  const giveUp = (pending: PendingRpc) => {
    if (!all.has(pending)) return
    if (pending.sent) cancellations.add(pending)
    settle(pending, Effect.fail(new DeadlinePassed({ timeoutMillis: pending.call.timeoutMillis, sent: pending.sent })))
  }

  const deadlines = yield* Deadlines.make(clock, (now) => {
    let next = Infinity
    for (const pending of all) {
      if (pending.deadline <= now) giveUp(pending)
      else if (pending.deadline < next) next = pending.deadline
    }
    return next
  })

  const answer = (batch: RpcBatch, { outcomeOf, refusesBatches }: RpcAnswers.Answers) => {
    if (refusesBatches) takesBatches = false
    for (const pending of batch.calls) {
      const outcome = outcomeOf(pending.call.id)
      if (outcome === "again") {
        batch.remove(pending)
        pending.sent = false
        pending.isAlone = true
        board(pending)
      } else settle(pending, outcome)
    }
  }

  const send = (batch: RpcBatch) =>
    Effect.suspend(() => {
      let isArray = false
      const written = Effect.suspend(() => {
        if (gathering === batch) gathering = undefined
        if (batch.isOver) return Effect.interrupt
        const { calls, text } = batch.write()
        isArray = calls > 1
        return Effect.succeed({ text, answers: calls })
      })
      return Effect.matchCause(post(written), {
        onSuccess: (body) => {
          batch.postedBy(undefined)
          if (!isArray) { for (const { call } of batch.calls) call.traffic?.received(byteLength(body.text)) }
          answer(batch, isArray ? RpcAnswers.ofBatch(body) : RpcAnswers.ofOne(body))
        },
        onFailure: (cause) => {
          batch.postedBy(undefined)
          for (const pending of batch.calls) settle(pending, Effect.failCause(cause))
        }
      })
    })

  const departing = (batch: RpcBatch, isAlone: boolean) =>
    (isAlone ? send(batch) : Effect.zipRight(untilQuiet(batch), send(batch))).pipe(
      Effect.ensuring(Effect.sync(() => {
        bytesOnTheWay -= batch.bytes
        if (bytesOnTheWay <= sendQueueBytes / 2) admit()
      }))
    )

  const board = (pending: PendingRpc) => {
    const isAlone = pending.isAlone || !takesBatches
    const batch = !isAlone && gathering?.takes(pending) ? gathering : new RpcBatch()
    const before = batch.bytes
    batch.add(pending)
    if (batch === gathering) {
      bytesOnTheWay += batch.bytes - before
    } else {
      bytesOnTheWay += batch.bytes
      if (!isAlone) gathering = batch
      batch.postedBy(fork(departing(batch, isAlone)))
    }
    if (bytesOnTheWay > sendQueueBytes) hasRoom = false
  }

  const start = (pending: PendingRpc) => {
    const text = textOf(pending.call)
    if (typeof text !== "string") return settle(pending, Effect.fail(text))
    pending.bytes = byteLength(text)
    pending.call.traffic?.sent(pending.bytes)
    if (pending.bytes > maximumFrameBytes) return settle(pending, Effect.fail(tooLarge))
    pending.text = text
    board(pending)
  }

  const admit = () => {
    hasRoom = true
    for (const pending of waiting) {
      waiting.delete(pending)
      start(pending)
      if (!hasRoom) return
    }
  }

  const ask: RpcRequests["ask"] = (call) =>
    cancellableAsync((resume) => {
      if (isOver) {
        resume(Effect.fail(abandoned(false)))
        return undefined
      }
      const pending = new PendingRpc(call, clock.unsafeCurrentTimeMillis() + call.timeoutMillis, resume)
      all.add(pending)
      if (hasRoom) start(pending)
      else waiting.add(pending)
      deadlines.added(pending.deadline)
      return () => giveUp(pending)
    })

  const requests: RpcRequests = {
    ask,
    tell,
    end: Effect.suspend(() => {
      isOver = true
      for (const pending of all) if (pending.sent && pending.call.isKeyed) cancellations.add(pending)
      return Effect.zipRight(
        cancellations.told,
        Effect.sync(() => {
          for (const pending of all) settle(pending, Effect.fail(abandoned(pending.sent)))
        })
      )
    })
  }
  return requests
})
