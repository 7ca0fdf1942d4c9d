import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { RpcError } from "../errors/wire.js"
import { cancellableAsync } from "./cancellableAsync.js"
import * as Deadlines from "./Deadlines.js"
import { byteLength, CloseCode, type CloseInfo, type Duplex, fitsInFrame, maximumFrameBytes } from "./Duplex.js"
import { decodeFrame, encodeNotification, encodeRequest, type Frame, type Message, type RpcId } from "./jsonRpc.js"
import { PendingCalls } from "./PendingCalls.js"
import { PendingRequest } from "./PendingRequest.js"
import * as SendQueue from "./SendQueue.js"
import type { Traffic } from "./Traffic.js"
import { atClose } from "./untilClose.js"

/** The other side answered with an error. */
export class RpcFailure extends Data.TaggedError("RpcFailure")<{ readonly error: RpcError }> {}

/** The connection ended before the answer; `sent` tells whether the request may have arrived. */
export class Dropped extends Data.TaggedError("Dropped")<{ readonly info: CloseInfo; readonly sent: boolean }> {}

/** The request cannot be written as one frame; nothing was sent. */
export class Unsendable extends Data.TaggedError("Unsendable")<{ readonly message: string }> {}

/**
 * No answer came in time. `sent` tells whether the request may have arrived; the other side has then been told to stop.
 */
export class DeadlinePassed
  extends Data.TaggedError("DeadlinePassed")<{ readonly timeoutMillis: number; readonly sent: boolean }>
{}

export type RequestFailure = RpcFailure | Dropped | DeadlinePassed | Unsendable

/** What a peer does with what is not an answer to a request of its own. Called synchronously. */
export interface PeerHandlers {
  readonly onRequest: (request: Extract<Message, { readonly _tag: "Request" }>) => void
  readonly onNotification: (notification: Extract<Message, { readonly _tag: "Notification" }>) => void
  /** A message that is not JSON-RPC, a batch, or a binary frame. */
  readonly onOther: (frame: Extract<Frame, { readonly _tag: "Invalid" | "Batch" }> | "binary") => void
  readonly onClose: (info: CloseInfo) => void
}

/** One side of a JSON-RPC 2.0 conversation over a duplex: it asks, and it is asked. */
export interface Peer {
  /**
   * Asks, and waits for the answer at most that long. Interruption, and a deadline that passes, tell the other side to
   * stop (`notifications/cancelled`). While the duplex holds more bytes than the send queue may have, a request waits to be sent,
   * in the order of the requests. What still waits when the peer's scope closes is dropped. `traffic` is told how large the request is
   * and its answer.
   */
  readonly request: (
    method: string,
    params: unknown,
    timeoutMillis: number,
    traffic?: Traffic
  ) => Effect.Effect<unknown, RequestFailure>
  /** `request` without an Effect: the request is told what becomes of it. */
  readonly ask: (method: string, params: unknown, request: PendingRequest) => void
  /** What interruption does to a request. Does nothing to one that has been told what has become of it. */
  readonly stop: (request: PendingRequest) => void
  readonly notify: (method: string, params: unknown) => void
  /** Sends a frame as it is, such as the answer to a request. */
  readonly send: (text: string) => void
  /** Tells the other side to stop what is still asked of it, and closes. */
  readonly close: (code: number, reason: string) => void
  /**
   * Asks for a sign of life at every interval, and ends the connection where none came in one: what is half-open is found
   * within two intervals. Every frame is a sign. Never ends by itself.
   */
  readonly heartbeat: (interval: Duration.Duration) => Effect.Effect<never>
}

class EffectRequest extends PendingRequest {
  readonly #resume: (exit: Effect.Effect<unknown, RequestFailure>) => void

  constructor(
    timeoutMillis: number,
    traffic: Traffic | undefined,
    resume: (exit: Effect.Effect<unknown, RequestFailure>) => void
  ) {
    super(timeoutMillis, traffic)
    this.#resume = resume
  }

  onResult(result: unknown): void {
    this.#resume(Effect.succeed(result))
  }

  onFailure(failure: RequestFailure): void {
    this.#resume(Effect.fail(failure))
  }
}

export const unsendable = (cause: unknown) =>
  new Unsendable({ message: `The arguments are not JSON: ${cause instanceof Error ? cause.message : String(cause)}` })

export const tooLarge = new Unsendable({
  message: `The request is too large: a message has at most ${maximumFrameBytes / 1024 / 1024} MiB`
})

const abandoned: CloseInfo = { code: CloseCode.normal, reason: "this side has ended the connection" }

/**
 * Makes a peer that reads from the duplex until it closes. Its fibers live in the current scope. Frames that have
 * arrived already are handled before this returns, so that the handlers are given the peer. Requests wait while the duplex
 * holds more than `sendQueueBytes`.
 */
export const make = Effect.fnUntraced(function*(
  duplex: Duplex,
  handlersOf: (peer: Peer) => PeerHandlers,
  sendQueueBytes: number = SendQueue.defaultBytes
) {
  const clock = yield* Effect.clock
  const pending = new PendingCalls<PendingRequest>()
  const queue = yield* SendQueue.make<PendingRequest>(clock, duplex, sendQueueBytes)
  let closed: CloseInfo | undefined
  let isHeard = true

  const cancel = (id: RpcId, reason: string) =>
    duplex.send(encodeNotification("notifications/cancelled", { requestId: id, reason }))

  const deadlines = yield* Deadlines.make(clock, (now) => {
    let next = Infinity
    for (const { deadline, id, timeoutMillis } of pending.oldestFirst()) {
      if (deadline <= now) {
        cancel(id, "the deadline has passed")
        pending.take(id)?.onFailure(new DeadlinePassed({ timeoutMillis, sent: true }))
      } else if (deadline < next) next = deadline
    }
    for (const request of queue.waiting()) {
      const { deadline, timeoutMillis } = request
      if (deadline <= now) {
        queue.remove(request)
        request.onFailure(new DeadlinePassed({ timeoutMillis, sent: false }))
      } else if (deadline < next) next = deadline
    }
    return next
  })

  const write = (id: number, method: string, params: unknown): string | Unsendable => {
    try {
      const text = encodeRequest(id, method, params)
      return fitsInFrame(text) ? text : tooLarge
    } catch (cause) {
      return unsendable(cause)
    }
  }

  const start = (request: PendingRequest, method: string, params: unknown) => {
    const id = pending.add(request)
    const text = write(id, method, params)
    if (typeof text !== "string") {
      pending.take(id)
      return request.onFailure(text)
    }
    // What a closing socket no longer takes waits for the close, so that whoever sends it again finds the next one.
    request.sent = duplex.send(text)
    if (request.traffic !== undefined) request.traffic.sent(byteLength(text))
  }

  const ask: Peer["ask"] = (method, params, request) => {
    request.deadline = clock.unsafeCurrentTimeMillis() + request.timeoutMillis
    if (closed !== undefined) return request.onFailure(new Dropped({ info: closed, sent: false }))
    if (queue.isFree()) start(request, method, params)
    else queue.add(request, () => start(request, method, params))
    deadlines.added(request.deadline)
  }

  const stop: Peer["stop"] = (request) => {
    if (request.id === undefined) queue.remove(request)
    else if (pending.take(request.id) !== undefined) cancel(request.id, "the caller no longer waits")
  }

  const peer: Peer = {
    ask,
    stop,
    request: (method, params, timeoutMillis, traffic) =>
      cancellableAsync((resume) => {
        const request = new EffectRequest(timeoutMillis, traffic, resume)
        ask(method, params, request)
        return () => stop(request)
      }),
    notify: (method, params) => void duplex.send(encodeNotification(method, params)),
    send: (text) => void duplex.send(text),
    close: (code, reason) => {
      for (const { id } of pending.oldestFirst()) cancel(id, "the connection is being closed")
      duplex.close(code, reason)
    },
    heartbeat: (interval) =>
      Effect.forever(Effect.suspend(() => {
        const hasTakenBytes = duplex.hasTakenBytes?.() ?? false
        if (!isHeard && !hasTakenBytes) {
          end({ code: CloseCode.abnormal, reason: `no sign of life within ${Duration.format(interval)}` })
          duplex.abort()
        }
        isHeard = false
        if (duplex.ping === undefined) duplex.send(encodeRequest(pending.skip(), "ping", {}))
        else duplex.ping()
        return clock.sleep(interval)
      }))
  }
  const drop = (info: CloseInfo) => {
    closed = info
    for (const { id, sent } of pending.oldestFirst()) pending.take(id)?.onFailure(new Dropped({ info, sent }))
    for (const request of queue.waiting()) {
      queue.remove(request)
      request.onFailure(new Dropped({ info, sent: false }))
    }
  }
  // A socket that closes politely tells so only when the other side has answered.
  yield* atClose(() => drop(closed ?? abandoned))
  const handlers = handlersOf(peer)
  const answered = (id: RpcId | null, text: string) => {
    const request = pending.take(id)
    if (request?.traffic !== undefined) request.traffic.received(byteLength(text))
    return request
  }
  const end = (info: CloseInfo) => {
    if (closed !== undefined) return
    closed = info
    handlers.onClose(info)
    drop(info)
  }
  duplex.listen({
    onPong: () => {
      isHeard = true
    },
    onText: (text) => {
      isHeard = true
      const frame = decodeFrame(text)
      switch (frame._tag) {
        case "Success":
          return answered(frame.id, text)?.onResult(frame.result)
        case "Failure":
          return answered(frame.id, text)?.onFailure(new RpcFailure({ error: frame.error }))
        case "Request":
          return handlers.onRequest(frame)
        case "Notification":
          return handlers.onNotification(frame)
        default:
          return handlers.onOther(frame)
      }
    },
    onBinary: () => handlers.onOther("binary"),
    onClose: end
  })
  return peer
})
