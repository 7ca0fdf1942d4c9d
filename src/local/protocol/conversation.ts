import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import { CloseCode, type CloseInfo, type Duplex } from "../../connection/Duplex.js"
import type { Message, RpcId } from "../../connection/jsonRpc.js"
import { reconnected, trafficOf } from "../../connection/Meter.js"
import * as Peer from "../../connection/Peer.js"
import { counted } from "../../connection/Traffic.js"
import { atClose } from "../../connection/untilClose.js"
import { ResourceExhausted } from "../../errors/general.js"
import { RpcCode } from "../../errors/wire.js"
import type { Session } from "../sessions/Session.js"
import { type Opening, Sessions } from "../sessions/Sessions.js"
import type { Agent } from "../store/Agents.js"
import { type Answer, answerOf, answerToInvalid, refusal } from "./answer.js"
import { cancelledByCaller } from "./cancelledByCaller.js"
import { Drain, shuttingDownRefusal } from "./drain.js"
import { InitializeParams, initializeResult } from "./initialize.js"
import { Methods } from "./methods.js"
import type { Listener, Notification } from "./Notification.js"
import * as Params from "./params.js"
import * as Progress from "./progress.js"
import { invalidMessage, refuseError } from "./Refusal.js"

/** How often a client is asked for a sign of life; one that gives none is gone within two of these. */
export class Heartbeat extends Context.Reference<Heartbeat>()("kruxos/local/Heartbeat", {
  defaultValue: () => Duration.seconds(30)
}) {}

/** How many requests of one connection may be unanswered at a time. */
export const maximumUnanswered = 16_384

type Request = Extract<Message, { readonly _tag: "Request" }>

type Notice = Extract<Message, { readonly _tag: "Notification" }>

const decodeInitialize = Params.decoder(InitializeParams)

const notInitialized = invalidMessage(
  RpcCode.invalidRequest,
  "Session not initialized: the first request is initialize"
)

const busy = refuseError(
  new ResourceExhausted({
    message: `This connection has ${maximumUnanswered} unanswered requests, as many as it may have`,
    resource: "unanswered_requests",
    limit: maximumUnanswered,
    current: maximumUnanswered
  })
)

const duplicate = invalidMessage(RpcCode.invalidRequest, "A request with this id is running already")

const binary = invalidMessage(RpcCode.invalidRequest, "A message is a text frame, not a binary one")

const batch = invalidMessage(RpcCode.invalidRequest, "A frame holds one message; batches are for /rpc")

const answerToOther = (frame: Parameters<Peer.PeerHandlers["onOther"]>[0]): string => {
  if (frame === "binary") return refusal(null, binary).text
  return frame._tag === "Batch" ? refusal(null, batch).text : answerToInvalid(frame)
}

const goodbye = "the gateway is shutting down"

// What else closes a connection may do so against the will of its client.
const isGoodbye = (code: number) =>
  code === CloseCode.normal || code === CloseCode.noStatus || code === CloseCode.policyViolation

const traffic = trafficOf("gateway")

/**
 * Speaks with an agent over a duplex until it closes: MCP, and the native methods. The session begins with `initialize`
 * and ends with the duplex, unless its client can resume it and the connection is lost; requests still running then are interrupted. A
 * gateway that drains refuses new requests, and closes when there is nothing that it has not answered.
 */
export const converse = Effect.fnUntraced(function*(
  duplex: Duplex,
  agent: Agent,
  transport: Opening["transport"]
) {
  const methods = yield* Methods
  const sessions = yield* Sessions
  const drain = yield* Drain
  // Made before the fibers, so that it ends after them: a request runs within its session.
  const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
  const run = Runtime.runFork(yield* Effect.runtime<never>())
  // By the ids of the requests; undefined while one is being started. A FiberMap costs as much as a short capability.
  const running = new Map<RpcId, Fiber.RuntimeFiber<void> | undefined>()
  let isOver = false
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      isOver = true
      return Fiber.interruptAll([...running.values()].filter((fiber) => fiber !== undefined))
    })
  )
  const progress = yield* Progress.make(duplex)
  const closed = yield* Deferred.make<CloseInfo>()
  // Nobody is told anything before `initialize` is answered.
  let early: Array<Notification> | undefined = []
  let session: Session | "opening" | undefined
  let isDone = false
  const fence = Effect.sync(() => {
    duplex.close(CloseCode.goingAway, "the session goes on over another connection")
    // The other side may be gone without having said so.
    Deferred.unsafeDone(closed, Exit.succeed({ code: CloseCode.goingAway, reason: "" }))
  })

  const tell: Listener = (notification) => {
    if (early === undefined) peer.notify(notification.method, notification.params)
    else early.push(notification)
  }

  const initialize = Effect.fnUntraced(
    function*(params: unknown) {
      if (session !== undefined) {
        return yield* invalidMessage(RpcCode.invalidRequest, "The session is initialized already")
      }
      session = "opening"
      const { clientInfo, experimental, protocolVersion } = yield* decodeInitialize(params)
      const attached = yield* sessions.attach(agent, {
        transport,
        clientName: clientInfo?.name,
        resume: experimental?.kruxos?.resume,
        fence,
        isDone: () => isDone
      }).pipe(Effect.mapError(refuseError), Scope.extend(scope))
      session = attached.session
      yield* Scope.extend(methods.tell(session, tell), scope)
      if (attached.isResumed) reconnected("gateway")
      return initializeResult(protocolVersion, attached, { ...methods.features, progress: {}, resume: {} })
    },
    Effect.onError(() =>
      Effect.sync(() => {
        if (session === "opening") session = undefined
      })
    )
  )

  const resultOf = (method: string, params: unknown) =>
    Effect.suspend(() => {
      if (method === "initialize") return initialize(params)
      if (method === "ping") return Effect.succeed({})
      return Predicate.isObject(session)
        ? methods.call(session, method, params)
        : Effect.fail(notInitialized)
    })

  const answer = (peer: Peer.Peer, method: string, { final, text }: Answer) => {
    peer.send(text)
    if (method === "initialize" && Predicate.isObject(session) && early !== undefined) {
      for (const notification of early) peer.notify(notification.method, notification.params)
      early = undefined
    }
    if (final) peer.close(CloseCode.policyViolation, "the key is no longer good")
  }

  const onRequest = (peer: Peer.Peer, { id, method, params }: Request) => {
    if (isOver) return
    if (drain.isDraining() && method !== "ping") return peer.send(refusal(id, shuttingDownRefusal).text)
    if (running.has(id)) return peer.send(refusal(id, duplicate).text)
    if (running.size >= maximumUnanswered) return peer.send(refusal(id, busy).text)
    running.set(id, undefined)
    const reporting = progress.begin(id, method, params)
    const result = resultOf(method, params)
    const answering = Effect.map(
      answerOf(id, method, reporting === undefined ? result : reporting.during(result)),
      (made) => {
        reporting?.finish()
        answer(peer, method, made)
      }
    )
    // MCP lets nobody cancel `initialize`.
    const fiber = run(method === "initialize" ? Effect.uninterruptible(answering) : answering)
    running.set(id, fiber)
    // At once, where it has ended already.
    fiber.addObserver(() => {
      running.delete(id)
      reporting?.stop()
    })
  }

  const onNotification = ({ method, params }: Notice) => {
    if (method !== "notifications/cancelled" || !Predicate.isRecord(params)) return
    const { requestId } = params
    if (typeof requestId !== "string" && typeof requestId !== "number") return
    progress.stop(requestId)
    running.get(requestId)?.unsafeInterruptAsFork(cancelledByCaller)
  }

  const peer = yield* Peer.make(counted(duplex, traffic), (peer) => ({
    onRequest: (request) => onRequest(peer, request),
    onNotification,
    onOther: (frame) => peer.send(answerToOther(frame)),
    onClose: (info) => Deferred.unsafeDone(closed, Exit.succeed(info))
  }))
  const leave = () => peer.close(CloseCode.goingAway, goodbye)
  yield* atClose(leave)
  yield* drain.track({ running: () => running.size + (duplex.bufferedBytes() > 0 ? 1 : 0), onIdle: leave })
  yield* Effect.forkScoped(peer.heartbeat(yield* Heartbeat))
  const { code, reason } = yield* Deferred.await(closed)
  isDone = isGoodbye(code) || drain.isDraining()
  // Only this side says why a connection ended that nobody closed.
  if (code === CloseCode.abnormal && reason !== "") {
    yield* Effect.logWarning(`Agent ${agent.name} is disconnected: ${reason}`)
  }
}, Effect.scoped)
