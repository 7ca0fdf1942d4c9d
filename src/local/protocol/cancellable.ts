import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { RpcId } from "../../connection/jsonRpc.js"
import { cancelledByCaller } from "./cancelledByCaller.js"
import { invalidMessage, type Refusal } from "./Refusal.js"

// As in the Language Server Protocol; JSON-RPC has no code for it.
const requestCancelled = -32_800

const cancelled = invalidMessage(requestCancelled, "The request was cancelled")

interface Running {
  readonly id: RpcId
  readonly fiber: Fiber.RuntimeFiber<unknown, Refusal>
  isCancelled: boolean
}

/** Requests that another message can stop; their ids need not be unique. */
export interface Cancellable {
  /** Runs what a request of a session asks for; it fails with a Refusal where it is cancelled. */
  readonly run: (
    sessionId: string,
    id: RpcId,
    result: Effect.Effect<unknown, Refusal>
  ) => Effect.Effect<unknown, Refusal>
  /** Stops every request of the session that has the id. */
  readonly cancel: (sessionId: string, id: RpcId) => void
}

export const make = (): Cancellable => {
  const bySession = new Map<string, Set<Running>>()

  const add = (sessionId: string, request: Running) => {
    const known = bySession.get(sessionId)
    if (known === undefined) bySession.set(sessionId, new Set([request]))
    else known.add(request)
  }

  const remove = (sessionId: string, request: Running) => {
    const known = bySession.get(sessionId)
    known?.delete(request)
    if (known?.size === 0) bySession.delete(sessionId)
  }

  return {
    run: (sessionId, id, result) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Effect.fork(restore(result)), (fiber) => {
          const request: Running = { id, fiber, isCancelled: false }
          add(sessionId, request)
          return restore(Fiber.await(fiber)).pipe(
            Effect.onInterrupt(() => Fiber.interrupt(fiber)),
            Effect.ensuring(Effect.sync(() => remove(sessionId, request))),
            Effect.flatMap((exit) => request.isCancelled && Exit.isInterrupted(exit) ? Effect.fail(cancelled) : exit)
          )
        })
      ),
    cancel: (sessionId, id) => {
      for (const request of bySession.get(sessionId) ?? []) {
        if (request.id !== id) continue
        request.isCancelled = true
        request.fiber.unsafeInterruptAsFork(cancelledByCaller)
      }
    }
  }
}
