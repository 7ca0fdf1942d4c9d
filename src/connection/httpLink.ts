import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Request from "effect/Request"
import * as RequestResolver from "effect/RequestResolver"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { decodeFailure } from "../errors/decode.js"
import { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import { wireFailureOfRpc } from "../errors/wire.js"
import * as Call from "./call.js"
import { CloseCode, maximumFrameBytes } from "./Duplex.js"
import { type Established, readCreatedSession } from "./handshake.js"
import { decodeFrame, type Frame, type Message, type RpcId } from "./jsonRpc.js"
import { type Channel, GatewayStatus, type Link } from "./Link.js"
import type { ConnectionOptions } from "./Options.js"
import { DeadlinePassed, Dropped, type RequestFailure, RpcFailure, Unsendable } from "./Peer.js"

class Unauthorized extends Data.TaggedError("Unauthorized")<{ readonly status: number }> {}

/** A call of `/rpc`. Calls that Effect batches (`Effect.forEach(…, { batching: true })`) share one HTTP request. */
interface RpcCall extends Request.Request<unknown, RequestFailure | Unauthorized> {
  readonly _tag: "RpcCall"
  readonly id: RpcId
  readonly method: string
  readonly params: unknown
  readonly timeoutMillis: number
}
const RpcCall = Request.tagged<RpcCall>("RpcCall")

const dropped = (reason: string, sent: boolean) => new Dropped({ info: { code: CloseCode.abnormal, reason }, sent })

const neverConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"])

const codeOf = (cause: unknown): string | undefined => {
  if (!Predicate.isRecord(cause)) return undefined
  return typeof cause["code"] === "string" ? cause["code"] : codeOf(cause["cause"])
}

const answerOf = (message: Message | undefined): Exit.Exit<unknown, RequestFailure> => {
  switch (message?._tag) {
    case "Success":
      return Exit.succeed(message.result)
    case "Failure":
      return Exit.fail(new RpcFailure({ error: message.error }))
    default:
      return Exit.fail(dropped("the answer is not JSON-RPC", true))
  }
}

const idOf = (message: Message): RpcId | null | undefined => "id" in message ? message.id : undefined

const answersOf = (frame: Frame, calls: ReadonlyArray<RpcCall>) => {
  const messages = frame._tag === "Batch" ? frame.messages : [frame]
  // An answer with id null speaks of the whole body, such as one that is too large.
  const whole = messages.find((message) => message._tag === "Failure" && message.id === null)
  return calls.map((call) => answerOf(messages.find((message) => idOf(message) === call.id) ?? whole))
}

const makePost = Effect.fnUntraced(function*(url: string, apiKey: Redacted.Redacted<string>) {
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.mapRequest(HttpClientRequest.bearerToken(apiKey))
  )
  const execute = Effect.fnUntraced(function*(body: string) {
    const response = yield* client.execute(
      HttpClientRequest.post(url).pipe(HttpClientRequest.bodyText(body, "application/json"))
    )
    if (response.status === 401 || response.status === 403) return yield* new Unauthorized({ status: response.status })
    return yield* response.text
  }, Effect.scoped)
  return (body: string): Effect.Effect<string, Unauthorized | Dropped> =>
    Effect.catchTags(execute(body), {
      RequestError: (error) => Effect.fail(dropped(error.message, !neverConnected.has(codeOf(error.cause) ?? ""))),
      ResponseError: (error) => Effect.fail(dropped(error.message, true))
    })
})

const makeResolver = (post: Effect.Effect.Success<ReturnType<typeof makePost>>) =>
  RequestResolver.makeBatched((calls: ReadonlyArray<RpcCall>) => {
    const messages = calls.map(({ id, method, params }) => ({ jsonrpc: "2.0", id, method, params }))
    const timeoutMillis = Math.max(...calls.map((call) => call.timeoutMillis))
    return Effect.try({
      try: () => JSON.stringify(messages.length === 1 ? messages[0] : messages),
      catch: (cause) => new Unsendable({ message: `The arguments are not JSON: ${String(cause)}` })
    }).pipe(
      Effect.filterOrFail(
        ({ length }) => length <= maximumFrameBytes,
        ({ length }) => new Unsendable({ message: `The request is too large: ${length} characters` })
      ),
      Effect.flatMap(post),
      Effect.timeoutFail({
        duration: Duration.millis(timeoutMillis),
        onTimeout: () => new DeadlinePassed({ timeoutMillis })
      }),
      Effect.flatMap((text) =>
        Effect.forEach(answersOf(decodeFrame(text), calls), (exit, index) => {
          const call = calls[index]
          return call === undefined ? Effect.void : Request.complete(call, exit)
        }, { discard: true })
      ),
      Effect.catchAll((failure) =>
        Effect.forEach(calls, (call) => Request.complete(call, Exit.fail(failure)), { discard: true })
      )
    )
  })

const isSessionExpired = (failure: RequestFailure | Unauthorized) =>
  failure._tag === "RpcFailure" && wireFailureOfRpc(failure.error)?.type === "SessionExpired"

const connectFailure = (url: string) => (failure: RequestFailure | Unauthorized) => {
  const wire = failure._tag === "RpcFailure" ? wireFailureOfRpc(failure.error) : undefined
  const error = wire === undefined ? undefined : decodeFailure(wire)
  if (error?._tag === "AuthenticationFailed") return error
  switch (failure._tag) {
    case "Unauthorized":
      return new AuthenticationFailed({ message: `The gateway refused the key (HTTP ${failure.status})`, url })
    case "Dropped":
      return new ConnectionFailed({ message: `The gateway cannot be reached: ${failure.info.reason}`, url })
    case "RpcFailure":
      return new ConnectionFailed({ message: `The gateway refused to start a session: ${failure.error.message}`, url })
    default:
      return new ConnectionFailed({ message: `The gateway did not start a session: ${failure._tag}`, url })
  }
}

/**
 * A link over HTTP: a session of `/rpc`, ended with the scope and made anew when the gateway no longer knows it. Nothing
 * is pushed this way, so that `notifications` is empty.
 */
export const make = Effect.fnUntraced(function*(url: string, options: ConnectionOptions) {
  const clock = yield* Effect.clock
  const post = yield* makePost(url, options.apiKey)
  const resolver = makeResolver(post)
  const status = yield* SubscriptionRef.make<GatewayStatus>(GatewayStatus.Connecting())
  const creating = yield* Effect.makeSemaphore(1)
  let lastId = 0
  let over: AuthenticationFailed | undefined
  let current: Channel | undefined

  const send = (method: string, params: unknown, timeoutMillis: number) =>
    Effect.suspend(() => Effect.request(RpcCall({ id: ++lastId, method, params, timeoutMillis }), resolver))

  const create = send("session.create", {}, options.requestTimeoutMillis).pipe(
    Effect.mapError(connectFailure(url)),
    Effect.flatMap((result) =>
      Either.mapLeft(
        readCreatedSession(result),
        (cause) =>
          new ConnectionFailed({
            message: "The answer to session.create is not one of KruxOS",
            retryable: false,
            url,
            cause
          })
      )
    )
  )

  // Neither reached a handler, so that `Link.call` may go on with the next session.
  const vacate = (channel: Channel) => {
    if (current === channel) current = undefined
    return Effect.fail(dropped("the session has ended", false))
  }

  const end = (failure: Unauthorized) => {
    over = new AuthenticationFailed({ message: `The gateway refused the key (HTTP ${failure.status})`, url })
    return SubscriptionRef.set(status, GatewayStatus.Closed({ cause: over }))
  }

  const channelOf = (established: Established): Channel => {
    const channel: Channel = {
      ...established,
      dialect: "native",
      request: (method, params, timeoutMillis) =>
        send(method, { ...asObject(params), session_id: established.session.id }, timeoutMillis).pipe(
          Effect.catchAll((failure): Effect.Effect<never, RequestFailure> => {
            if (failure._tag === "Unauthorized") return Effect.zipRight(end(failure), vacate(channel))
            return isSessionExpired(failure) ? vacate(channel) : Effect.fail(failure)
          })
        )
    }
    return channel
  }

  const establish = Effect.gen(function*() {
    const channel = channelOf(yield* create)
    current = channel
    yield* SubscriptionRef.set(status, GatewayStatus.Connected({ session: channel.session }))
    return channel
  })

  const next = creating.withPermits(1)(Effect.suspend(() => {
    if (over !== undefined) return Effect.fail(over)
    return current === undefined ? establish : Effect.succeed(current)
  }))

  yield* establish
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() =>
      current === undefined
        ? Effect.void
        : Effect.ignore(send("session.end", { session_id: current.session.id }, options.requestTimeoutMillis))
    ).pipe(
      Effect.zipRight(SubscriptionRef.set(status, GatewayStatus.Closed({ cause: over })))
    )
  )

  const link: Link = {
    status: Stream.takeUntil(status.changes, GatewayStatus.$is("Closed")),
    channel: next,
    notifications: Stream.empty,
    call: Call.make(clock, { current: () => current, next }, options.maxInFlight)
  }
  return link
})

const asObject = (params: unknown): object => Predicate.isRecord(params) ? params : {}
