import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import { decodeFailure } from "../errors/decode.js"
import { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import { RpcCode, wireFailureOfRpc } from "../errors/wire.js"
import type { Session } from "../schema/Session.js"
import { CloseCode, type CloseInfo, type Dial } from "./Duplex.js"
import { initializeParams, readInitialize } from "./handshake.js"
import { failureOf, successOf } from "./jsonRpc.js"
import type { Channel, ServerNotification } from "./Link.js"
import { trafficOf } from "./Meter.js"
import { type ConnectionOptions, packageVersion } from "./Options.js"
import * as Peer from "./Peer.js"
import { progressMethod, ProgressTokens } from "./progress.js"
import { CurrentTap } from "./tap.js"
import { counted } from "./Traffic.js"

/** Why there is no session. */
export type ConnectFailure = ConnectionFailed | AuthenticationFailed

/** A session on a socket of its own. */
export interface Connected {
  readonly channel: Channel
  /** Done when the socket has closed. */
  readonly closed: Deferred.Deferred<CloseInfo>
}

/** What a session tells by itself, synchronously. */
export interface ConnectHandlers {
  readonly onNotification: (notification: ServerNotification) => void
  /** The session is there. */
  readonly onOpen: (channel: Channel) => void
  /** The socket of a session that was there has closed. */
  readonly onClose: (channel: Channel) => void
}

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

const malformed = (cause: unknown) =>
  new ConnectionFailed({ message: "The answer to initialize is not one of MCP", retryable: false, cause })

const traffic = trafficOf("client")

/** Opens one socket and starts a session on it, in the current scope; or goes on with the given one, if the gateway still has it. */
export const connect = Effect.fnUntraced(function*(
  dial: Dial,
  options: ConnectionOptions,
  { onClose, onNotification, onOpen }: ConnectHandlers,
  resume: Session | undefined
) {
  const tap = yield* CurrentTap
  const closed = yield* Deferred.make<CloseInfo>()
  let channel: Channel | undefined
  let isOpen = true
  const progress = new ProgressTokens()
  const duplex = yield* Effect.timeoutFail(dial, {
    duration: Duration.millis(options.requestTimeoutMillis),
    onTimeout: () => new ConnectionFailed({ message: `No connection within ${options.requestTimeoutMillis / 1000} s` })
  })
  const peer = yield* Peer.make(counted(duplex, traffic), (peer) => ({
    onRequest: ({ id, method }) =>
      peer.send(JSON.stringify(
        method === "ping"
          ? successOf(id, {})
          : failureOf(id, { code: RpcCode.methodNotFound, message: `This client has no method ${method}` })
      )),
    onNotification: (notification) => {
      tap?.notified(notification)
      if (notification.method === progressMethod) progress.receive(notification.params)
      else onNotification(notification)
    },
    onOther: () => {},
    onClose: (info) => {
      isOpen = false
      if (channel !== undefined) {
        tap?.closed(channel)
        onClose(channel)
      }
      Deferred.unsafeDone(closed, Exit.succeed(info))
    }
  }), options.sendQueueBytes)
  // What is closed normally ends its session, which the next attempt asks for again where this one fails.
  const isFailedAttempt = (exit: Exit.Exit<unknown, unknown>) =>
    resume !== undefined && channel === undefined && Exit.isFailure(exit) && !Cause.isInterruptedOnly(exit.cause)
  yield* Effect.addFinalizer((exit) =>
    Effect.sync(() => peer.close(isFailedAttempt(exit) ? CloseCode.goingAway : CloseCode.normal, ""))
  )
  const result = yield* Effect.mapError(
    peer.request(
      "initialize",
      initializeParams({ name: options.clientName, version: packageVersion }, resume?.id),
      options.requestTimeoutMillis
    ),
    refused
  )
  const established = yield* Either.mapLeft(readInitialize(result), malformed)
  peer.notify("notifications/initialized", undefined)
  yield* Effect.forkScoped(peer.heartbeat(options.heartbeat))
  const made: Channel = {
    ...established,
    dialect: established.features.has("native") ? "native" : "mcp",
    request: peer.request,
    progress,
    peer
  }
  channel = isOpen && tap !== undefined ? tap.opened(made, { pushes: true, options }) : made
  if (isOpen) onOpen(channel)
  const connected: Connected = { channel, closed }
  return connected
})
