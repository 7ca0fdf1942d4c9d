import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { decodeFailure } from "../errors/decode.js"
import { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import { wireFailureOfRpc } from "../errors/wire.js"
import type { Session } from "../schema/Session.js"
import * as Call from "./call.js"
import { isShareable } from "./company.js"
import type { ConnectFailure } from "./connect.js"
import { type Established, readCreatedSession } from "./handshake.js"
import { encodeRequest } from "./jsonRpc.js"
import { type Channel, type ChannelFailure, GatewayStatus, type Link, SessionLost } from "./Link.js"
import { reconnected } from "./Meter.js"
import type { ConnectionOptions } from "./Options.js"
import type { RpcCallFailure } from "./RpcCall.js"
import { dropped, type Unauthorized } from "./rpcPost.js"
import { make as makeRequests } from "./rpcRequests.js"
import { CurrentTap } from "./tap.js"
import type { Traffic } from "./Traffic.js"

const isSessionExpired = (failure: RpcCallFailure) =>
  failure._tag === "RpcFailure" && wireFailureOfRpc(failure.error)?.type === "SessionExpired"

const refusedKey = (url: string, { status }: Unauthorized) =>
  new AuthenticationFailed({ message: `The gateway refused the key (HTTP ${status})`, url })

const connectFailure = (url: string) => (failure: RpcCallFailure) => {
  const wire = failure._tag === "RpcFailure" ? wireFailureOfRpc(failure.error) : undefined
  const error = wire === undefined ? undefined : decodeFailure(wire)
  if (error?._tag === "AuthenticationFailed") return error
  switch (failure._tag) {
    case "Unauthorized":
      return refusedKey(url, failure)
    case "Dropped":
      return new ConnectionFailed({ message: `The gateway cannot be reached: ${failure.info.reason}`, url })
    case "RpcFailure":
      return new ConnectionFailed({ message: `The gateway refused to start a session: ${failure.error.message}`, url })
    default:
      return new ConnectionFailed({ message: `The gateway did not start a session: ${failure._tag}`, url })
  }
}

// How long the gateway may take to hear what is not a request.
const tellTimeoutMillis = 2000

const asObject = (params: unknown): object => Predicate.isRecord(params) ? params : {}

const isKeyed = (params: unknown) => Predicate.isRecord(params) && typeof params["idempotency_key"] === "string"

/**
 * A link over HTTP: a session of `/rpc`, ended with the scope and made anew when the gateway no longer knows it. Nothing
 * is pushed this way, so that `notifications` is empty. Calls in flight when the scope closes have the grace period to finish.
 */
export const make = Effect.fnUntraced(function*(url: string, options: ConnectionOptions) {
  const clock = yield* Effect.clock
  const tap = yield* CurrentTap
  const requests = yield* makeRequests(url, {
    apiKey: options.apiKey,
    sendQueueBytes: options.sendQueueBytes,
    tellTimeoutMillis: Math.min(tellTimeoutMillis, options.requestTimeoutMillis)
  })
  const status = yield* SubscriptionRef.make<GatewayStatus>(GatewayStatus.Connecting())
  const creating = yield* Effect.makeSemaphore(1)
  let lastId = 0
  let over: ConnectFailure | undefined
  let current: Channel | undefined
  let latest: Session | undefined

  const send = (method: string, params: unknown, timeoutMillis: number, over?: Established, traffic?: Traffic) =>
    Effect.suspend(() =>
      requests.ask({
        id: ++lastId,
        method,
        params,
        timeoutMillis,
        sessionId: over?.session.id,
        traffic,
        isKeyed: isKeyed(params),
        isShareable: isShareable(method, params, over?.features, timeoutMillis, options.requestTimeoutMillis)
      })
    )

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

  const vacate = ({ session }: Channel) => {
    if (current?.session !== session) return
    tap?.closed(current)
    current = undefined
  }

  const end = (cause: ConnectFailure, told: ConnectFailure | undefined) =>
    Effect.suspend(() => {
      if (over !== undefined) return Effect.void
      over = cause
      current = undefined
      return SubscriptionRef.set(status, GatewayStatus.Closed({ cause: told }))
    })

  const refuse = (cause: AuthenticationFailed) => {
    if (over === undefined) tap?.ended(cause)
    return end(cause, cause)
  }

  const channelOf = (established: Established): Channel => {
    const channel: Channel = {
      ...established,
      dialect: "native",
      request: (method, params, timeoutMillis, traffic) =>
        send(
          method,
          { ...asObject(params), session_id: established.session.id },
          timeoutMillis,
          established,
          traffic
        ).pipe(
          Effect.catchAll((failure): Effect.Effect<never, ChannelFailure> => {
            if (failure._tag === "Unauthorized") {
              vacate(channel)
              // No handler was reached: the call goes on to find that there will be no other session.
              return Effect.zipRight(
                refuse(refusedKey(url, failure)),
                Effect.fail(dropped("the key was refused", false))
              )
            }
            if (failure._tag !== "RpcFailure" || !isSessionExpired(failure)) return Effect.fail(failure)
            vacate(channel)
            return Effect.fail(new SessionLost({ error: failure.error }))
          })
        )
    }
    return tap === undefined ? channel : tap.opened(channel, { pushes: false, options })
  }

  const establish = Effect.gen(function*() {
    const channel = channelOf(yield* create)
    if (over !== undefined) return yield* Effect.fail(over)
    if (latest !== undefined) reconnected("client")
    const lost = latest && { session: latest, calls: calls.takeLost() }
    current = channel
    latest = channel.session
    yield* SubscriptionRef.set(status, GatewayStatus.Connected({ session: channel.session, lost }))
    return channel
  })

  const next = creating.withPermits(1)(Effect.suspend(() => {
    if (over !== undefined) return Effect.fail(over)
    return current === undefined
      ? Effect.tapErrorTag(establish, "AuthenticationFailed", refuse)
      : Effect.succeed(current)
  }))

  const calls = Call.make(clock, { current: () => current, next }, options.maxInFlight)

  const farewell = ({ session }: Channel) =>
    Effect.suspend(() => requests.tell(encodeRequest(++lastId, "session.end", { session_id: session.id })))

  yield* establish
  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      yield* calls.finish(options.gracePeriod)
      const last = current
      yield* end(Call.closedByScope(), undefined)
      yield* requests.end
      if (last !== undefined) yield* farewell(last)
    })
  )

  const link: Link = {
    status: Stream.takeUntil(status.changes, GatewayStatus.$is("Closed")),
    channel: next,
    notifications: Stream.empty,
    pushes: false,
    listen: () => Effect.void,
    call: calls.call,
    direct: calls.direct
  }
  return link
})
