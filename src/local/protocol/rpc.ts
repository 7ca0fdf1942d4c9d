import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { byteLength, maximumFrameBytes } from "../../connection/Duplex.js"
import { decodeFrame, type Message, type RpcId } from "../../connection/jsonRpc.js"
import { trafficOf } from "../../connection/Meter.js"
import { InvalidInput, ResourceExhausted } from "../../errors/general.js"
import { RpcCode } from "../../errors/wire.js"
import type { Agent } from "../store/Agents.js"
import { answerOf, answerToInvalid, refusal } from "./answer.js"
import * as Cancellable from "./cancellable.js"
import { Drain, shuttingDownRefusal } from "./drain.js"
import * as HttpSessions from "./httpSessions.js"
import { Methods } from "./methods.js"
import { invalidMessage, refuseError } from "./Refusal.js"

// How many messages one batch may have.
const maximumBatch = 1000

// How many of them run at a time.
const concurrency = 16

const batchFull = refuseError(
  new ResourceExhausted({
    message:
      `The answers of this batch have ${maximumFrameBytes} bytes already: this request was not run, send it again`,
    resource: "message_bytes",
    limit: maximumFrameBytes
  })
)

const batchTooLong = invalidMessage(RpcCode.invalidRequest, `A batch has at most ${maximumBatch} messages`)

const sessionIdOf = (params: unknown) =>
  Effect.gen(function*() {
    const id = Predicate.isRecord(params) ? params["session_id"] : undefined
    if (id === undefined || typeof id === "string") return id
    return yield* new InvalidInput({ message: "session_id is not a string", field: "session_id" })
  })

const requiredSessionId = (params: unknown) =>
  Effect.filterOrFail(
    sessionIdOf(params),
    (id) => id !== undefined,
    () => new InvalidInput({ message: "session_id is missing", field: "session_id" })
  )

const traffic = trafficOf("gateway")

type Notification = Extract<Message, { readonly _tag: "Notification" }>

/**
 * Answers the bodies that are posted to `/rpc`, until the scope ends. A request is interrupted with its HTTP request, or by
 * `notifications/cancelled` with its id and its session's. A gateway that drains refuses new requests.
 */
export const make = Effect.gen(function*() {
  const methods = yield* Methods
  const drain = yield* Drain
  const sessions = yield* HttpSessions.make
  const running = Cancellable.make()

  const resultOf = (agent: Agent, id: RpcId, method: string, params: unknown) => {
    if (drain.isDraining()) return Effect.fail(shuttingDownRefusal)
    switch (method) {
      case "session.create":
        return Effect.mapBoth(sessions.create(agent), {
          onFailure: refuseError,
          onSuccess: ({ connectedAt, id }) => ({
            session_id: id,
            agent: agent.name,
            created_at: DateTime.formatIso(connectedAt),
            features: methods.features
          })
        })
      case "session.end":
        return requiredSessionId(params).pipe(
          Effect.flatMap((id) => sessions.end(agent, id)),
          Effect.mapBoth({ onFailure: refuseError, onSuccess: () => ({}) })
        )
      default:
        return sessionIdOf(params).pipe(
          Effect.flatMap((sessionId) => sessions.use(agent, sessionId)),
          Effect.mapError(refuseError),
          Effect.flatMap((session) => running.run(session.id, id, methods.call(session, method, params)))
        )
    }
  }

  const onNotification = (agent: Agent, { method, params }: Notification) => {
    if (method !== "notifications/cancelled" || !Predicate.isRecord(params)) return Effect.void
    const { requestId } = params
    if (typeof requestId !== "string" && typeof requestId !== "number") return Effect.void
    return sessionIdOf(params).pipe(
      Effect.flatMap((sessionId) => sessions.find(agent, sessionId)),
      Effect.map((session) => running.cancel(session.id, requestId)),
      // A notification has no answer: what is gone already needs no cancelling.
      Effect.ignore
    )
  }

  const answer = (agent: Agent, message: Message): Effect.Effect<string | undefined> => {
    switch (message._tag) {
      case "Request":
        return Effect.map(
          answerOf(message.id, message.method, resultOf(agent, message.id, message.method, message.params)),
          ({ text }) => text
        )
      case "Invalid":
        return Effect.succeed(answerToInvalid(message))
      case "Notification":
        return Effect.as(onNotification(agent, message), undefined)
      default:
        return Effect.succeed(undefined)
    }
  }

  const answerBatch = (agent: Agent, messages: ReadonlyArray<Message>) =>
    Effect.suspend(() => {
      let size = 0
      const next = (message: Message) =>
        size >= maximumFrameBytes && message._tag === "Request"
          ? Effect.succeed(refusal(message.id, batchFull).text)
          : Effect.tap(answer(agent, message), (text) => {
            size += text?.length ?? 0
          })
      return Effect.map(Effect.forEach(messages, next, { concurrency }), (answers) => {
        const known = answers.filter((text) => text !== undefined)
        return known.length === 0 ? undefined : `[${known.join(",")}]`
      })
    })

  const answerBody = (agent: Agent, body: string): Effect.Effect<string | undefined> => {
    const frame = decodeFrame(body)
    if (frame._tag !== "Batch") return answer(agent, frame)
    return frame.messages.length > maximumBatch
      ? Effect.succeed(refusal(null, batchTooLong).text)
      : answerBatch(agent, frame.messages)
  }

  /** The body to answer with, or none where there were only notifications. */
  return (agent: Agent, body: string): Effect.Effect<string | undefined> =>
    Effect.suspend(() => {
      traffic.received(byteLength(body))
      return Effect.tap(answerBody(agent, body), (text) => {
        if (text !== undefined) traffic.sent(byteLength(text))
      })
    })
})
