import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { decodeFailure } from "../errors/decode.js"
import { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import { RpcCode, wireFailureOfRpc } from "../errors/wire.js"
import * as Call from "./call.js"
import { CloseCode, type CloseInfo, type Dial } from "./Duplex.js"
import { initializeParams, readInitialize } from "./handshake.js"
import { failureOf, successOf } from "./jsonRpc.js"
import { type Channel, GatewayStatus, type Link, type ServerNotification } from "./Link.js"
import { type ConnectionOptions, packageVersion } from "./Options.js"
import * as Peer from "./Peer.js"

interface Connected {
  readonly channel: Channel
  readonly closed: Deferred.Deferred<CloseInfo>
}

type ConnectFailure = ConnectionFailed | AuthenticationFailed

const refused = (failure: Peer.RequestFailure): ConnectFailure => {
  switch (failure._tag) {
    case "RpcFailure": {
      const wire = wireFailureOfRpc(failure.error)
      const error = wire === undefined ? undefined : decodeFailure(wire)
      if (error?._tag === "AuthenticationFailed") return error
      return new ConnectionFailed({ message: `The gateway refused to start a session: ${failure.error.message}` })
    }
    case "Dropped":
      return failure.info.code === CloseCode.policyViolation
        ? new AuthenticationFailed({ message: `The gateway refused the key: ${failure.info.reason}` })
        : new ConnectionFailed({
          message: `The gateway ended the connection before the session started (code ${failure.info.code})`
        })
    case "DeadlinePassed":
      return new ConnectionFailed({
        message: `The gateway did not answer initialize within ${failure.timeoutMillis / 1000} s`
      })
    case "Unsendable":
      return new ConnectionFailed({ message: failure.message, retryable: false })
  }
}

/** Opens one socket and starts a session on it, in the current scope. */
const connect = Effect.fnUntraced(function*(
  dial: Dial,
  options: ConnectionOptions,
  onNotification: (notification: ServerNotification) => void,
  onClosed: () => void
) {
  const closed = yield* Deferred.make<CloseInfo>()
  const duplex = yield* Effect.timeoutFail(dial, {
    duration: Duration.millis(options.requestTimeoutMillis),
    onTimeout: () => new ConnectionFailed({ message: `No connection within ${options.requestTimeoutMillis / 1000} s` })
  })
  const peer = yield* Peer.make(duplex, (peer) => ({
    onRequest: ({ id, method }) =>
      peer.send(JSON.stringify(
        method === "ping"
          ? successOf(id, {})
          : failureOf(id, { code: RpcCode.methodNotFound, message: `This client has no method ${method}` })
      )),
    onNotification,
    onOther: () => {},
    onClose: (info) => {
      onClosed()
      Deferred.unsafeDone(closed, Exit.succeed(info))
    }
  }))
  yield* Effect.addFinalizer(() => Effect.sync(() => peer.close(CloseCode.normal, "")))
  const result = yield* Effect.mapError(
    peer.request(
      "initialize",
      initializeParams({ name: options.clientName, version: packageVersion }),
      options.requestTimeoutMillis
    ),
    refused
  )
  const established = yield* Either.mapLeft(
    readInitialize(result),
    (cause) => new ConnectionFailed({ message: "The answer to initialize is not one of MCP", retryable: false, cause })
  )
  peer.notify("notifications/initialized", undefined)
  const connected: Connected = {
    channel: {
      ...established,
      dialect: established.features.has("native") ? "native" : "mcp",
      request: peer.request
    },
    closed
  }
  return connected
})

const lost = (info: CloseInfo) =>
  new ConnectionFailed({
    message: `The connection ended (code ${info.code}${info.reason === "" ? "" : `: ${info.reason}`})`
  })

/**
 * A link over sockets: it fails when the first connection cannot be made, and makes every later one by itself until its
 * scope closes, the key is refused, or the schedule ends.
 */
export const make = Effect.fnUntraced(function*(dial: Dial, options: ConnectionOptions) {
  const clock = yield* Effect.clock
  const scope = yield* Effect.scope
  const status = yield* SubscriptionRef.make<GatewayStatus>(GatewayStatus.Connecting())
  const notifications = yield* Effect.acquireRelease(
    PubSub.sliding<ServerNotification>(1024),
    (pubsub) => PubSub.shutdown(pubsub)
  )
  let current: Channel | undefined
  let next = Deferred.unsafeMake<Channel, ConnectFailure>(FiberId.none)

  // Synchronous, so that no call can take a session for open after its socket has closed.
  const vacate = () => {
    if (current === undefined) return
    current = undefined
    next = Deferred.unsafeMake(FiberId.none)
  }

  const connectOnce = Effect.gen(function*() {
    const attempt = yield* Scope.fork(scope, ExecutionStrategy.sequential)
    const connected = yield* connect(
      dial,
      options,
      (notification) => notifications.unsafeOffer(notification),
      vacate
    ).pipe(
      Scope.extend(attempt),
      Effect.onError((cause) => Scope.close(attempt, Exit.failCause(cause)))
    )
    return { ...connected, attempt }
  })

  const established = Effect.fnUntraced(function*(channel: Channel) {
    current = channel
    yield* SubscriptionRef.set(status, GatewayStatus.Connected({ session: channel.session }))
    yield* Deferred.succeed(next, channel)
  })

  const over = Effect.fnUntraced(function*(cause: ConnectFailure) {
    yield* SubscriptionRef.set(status, GatewayStatus.Closed({ cause }))
    yield* Deferred.fail(next, cause)
  })

  const reconnect = connectOnce.pipe(
    Effect.retry({ schedule: options.reconnect, while: ({ _tag }) => _tag !== "AuthenticationFailed" }),
    Effect.tapError(over)
  )

  const follow = Effect.fnUntraced(function*(first: Effect.Effect.Success<typeof connectOnce>) {
    let connected = first
    while (true) {
      const info = yield* Deferred.await(connected.closed)
      vacate()
      yield* Scope.close(connected.attempt, Exit.void)
      yield* SubscriptionRef.set(status, GatewayStatus.Reconnecting({ cause: lost(info) }))
      connected = yield* reconnect
      yield* established(connected.channel)
    }
  })

  const first = yield* connectOnce
  yield* established(first.channel)
  yield* Effect.forkScoped(Effect.ignore(follow(first)))
  yield* Effect.addFinalizer(() =>
    SubscriptionRef.set(status, GatewayStatus.Closed({ cause: undefined })).pipe(
      Effect.zipRight(
        Deferred.fail(
          next,
          new ConnectionFailed({ message: "The connection was closed by its scope", retryable: false })
        )
      )
    )
  )

  const channels: Call.Channels = {
    current: () => current,
    next: Effect.suspend(() => Deferred.await(next))
  }
  const link: Link = {
    status: Stream.takeUntil(status.changes, GatewayStatus.$is("Closed")),
    channel: Effect.suspend(() => current === undefined ? channels.next : Effect.succeed(current)),
    notifications: Stream.fromPubSub(notifications),
    call: Call.make(clock, channels, options.maxInFlight)
  }
  return link
})

/** 1 s, 2 s, 4 s … up to 60 s, each shortened or lengthened by chance, without end. */
export const defaultReconnect: Schedule.Schedule<unknown> = Schedule.exponential("1 second").pipe(
  Schedule.union(Schedule.spaced("60 seconds")),
  Schedule.jittered
)
