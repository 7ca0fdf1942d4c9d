import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { CloseCode, type Duplex } from "../../connection/Duplex.js"
import { failureOf, type Message, type RpcId } from "../../connection/jsonRpc.js"
import * as Peer from "../../connection/Peer.js"
import { ResourceExhausted } from "../../errors/general.js"
import { RpcCode } from "../../errors/wire.js"
import type { Session } from "../sessions/Session.js"
import { type Opening, Sessions } from "../sessions/Sessions.js"
import type { Agent } from "../store/Agents.js"
import { answerOf, answerToInvalid } from "./answer.js"
import { InitializeParams, initializeResult } from "./initialize.js"
import { Methods } from "./methods.js"
import { invalidMessage, type Refusal, refuseError } from "./Refusal.js"

/** How many requests of one connection may be unanswered at a time. */
export const maximumUnanswered = 16_384

type Request = Extract<Message, { readonly _tag: "Request" }>

type Notification = Extract<Message, { readonly _tag: "Notification" }>

const decodeInitialize = Schema.decodeUnknown(InitializeParams)

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

/**
 * Speaks with an agent over a duplex until it closes: MCP, and the native methods. The session begins with `initialize`
 * and ends with the duplex; requests still running then are interrupted.
 */
export const converse = Effect.fnUntraced(function*(
  duplex: Duplex,
  agent: Agent,
  transport: Opening["transport"]
) {
  const methods = yield* Methods
  const sessions = yield* Sessions
  const scope = yield* Effect.scope
  const fibers = yield* FiberMap.make<RpcId>()
  const run = yield* FiberMap.runtime(fibers)()
  const running = new Set<RpcId>()
  const closed = yield* Deferred.make<void>()
  let session: Session | "opening" | undefined

  const initialize = Effect.fnUntraced(
    function*(params: unknown) {
      if (session !== undefined) {
        return yield* invalidMessage(RpcCode.invalidRequest, "The session is initialized already")
      }
      session = "opening"
      const { clientInfo, protocolVersion } = yield* Effect.mapError(
        decodeInitialize(params),
        ({ message }) => invalidMessage(RpcCode.invalidParams, `The params of initialize are not valid: ${message}`)
      )
      const opened = yield* sessions.open(agent, { transport, clientName: clientInfo?.name }).pipe(
        Effect.mapError(refuseError),
        Effect.provideService(Scope.Scope, scope)
      )
      session = opened
      return initializeResult(protocolVersion, opened)
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
      return Predicate.isObject(session) ? methods.call(session, method, params) : Effect.fail(notInitialized)
    })

  const onRequest = (peer: Peer.Peer, { id, method, params }: Request) => {
    const refuseNow = ({ error }: Refusal) => peer.send(JSON.stringify(failureOf(id, error)))
    if (running.has(id)) return refuseNow(duplicate(id))
    if (running.size >= maximumUnanswered) return refuseNow(busy)
    running.add(id)
    const answered = Effect.map(answerOf(id, method, resultOf(method, params)), ({ final, text }) => {
      peer.send(text)
      if (final) peer.close(CloseCode.policyViolation, "the key is no longer good")
    })
    run(id, Effect.ensuring(answered, Effect.sync(() => running.delete(id))))
  }

  const onNotification = ({ method, params }: Notification) => {
    if (method !== "notifications/cancelled" || !Predicate.isRecord(params)) return
    const { requestId } = params
    if (typeof requestId !== "string" && typeof requestId !== "number") return
    const fiber = Option.getOrUndefined(FiberMap.unsafeGet(fibers, requestId))
    fiber?.unsafeInterruptAsFork(FiberId.none)
  }

  const peer = yield* Peer.make(duplex, (peer) => ({
    onRequest: (request) => onRequest(peer, request),
    onNotification,
    onOther: (frame) => peer.send(answerToInvalid(invalidOf(frame))),
    onClose: () => Deferred.unsafeDone(closed, Exit.void)
  }))
  yield* Effect.addFinalizer(() => Effect.sync(() => peer.close(CloseCode.goingAway, "the gateway is shutting down")))
  yield* Deferred.await(closed)
}, Effect.scoped)

const duplicate = (id: RpcId) =>
  invalidMessage(RpcCode.invalidRequest, `A request with the id ${JSON.stringify(id)} is running already`)

const invalidOf = (frame: Parameters<Peer.PeerHandlers["onOther"]>[0]) => {
  if (frame === "binary") return malformed("A message is a text frame, not a binary one")
  return frame._tag === "Batch" ? malformed("A frame holds one message; batches are for /rpc") : frame
}

const malformed = (message: string): Extract<Message, { readonly _tag: "Invalid" }> => ({
  _tag: "Invalid",
  id: null,
  error: { code: RpcCode.invalidRequest, message }
})
