import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { AuthenticationFailed, ConnectionFailed, GatewayError } from "../errors/gateway.js"
import type { RpcError } from "../errors/wire.js"
import type { Feature, Session } from "../schema/Session.js"
import type { RequestFailure } from "./Peer.js"

/**
 * How the connection to a gateway is: being made, there, lost and being made again, or over. `Closed` has the error that
 * ended it, unless it was closed by its scope.
 */
export type GatewayStatus = Data.TaggedEnum<{
  Connecting: {}
  Connected: { readonly session: Session }
  Reconnecting: { readonly cause: ConnectionFailed }
  Closed: { readonly cause: ConnectionFailed | AuthenticationFailed | undefined }
}>
export const GatewayStatus = Data.taggedEnum<GatewayStatus>()

/** The gateway no longer knows the session, and has done nothing; there will be another one. */
export class SessionLost extends Data.TaggedError("SessionLost")<{ readonly error: RpcError }> {}

/** What a request over a session can fail with. */
export type ChannelFailure = RequestFailure | SessionLost

/** One established session with a gateway. */
export interface Channel {
  readonly session: Session
  readonly features: ReadonlySet<Feature>
  /** Whether the gateway takes `capabilities.*`, or only the tools of MCP. */
  readonly dialect: "native" | "mcp"
  readonly request: (method: string, params: unknown, timeoutMillis: number) => Effect.Effect<unknown, ChannelFailure>
}

/** What is to be known of a call for the case that its answer does not come. */
export interface CallOptions {
  /** The capability or method, for messages. */
  readonly operation: string
  readonly timeoutMillis: number
  /** Whether the call can be sent twice without harm. */
  readonly replayable: boolean
}

/** What a call fails with besides the other side's own answer. */
export type CallFailure = GatewayError | Extract<RequestFailure, { readonly _tag: "RpcFailure" | "Unsendable" }>

/** A message that the gateway sent by itself. */
export interface ServerNotification {
  readonly method: string
  readonly params: unknown
}

/** A connection that outlives its sockets. */
export interface Link {
  /** The current status, then each change. */
  readonly status: Stream.Stream<GatewayStatus>
  /** The session in use; while there is none, the next one. Fails when the connection is over. */
  readonly channel: Effect.Effect<Channel, ConnectionFailed | AuthenticationFailed>
  readonly notifications: Stream.Stream<ServerNotification>
  /**
   * Asks over the current session, or waits for the next one, within the call's deadline. A call whose session is lost
   * before the answer is sent again, once, if it is replayable; else it fails with OutcomeUnknown. A call that the
   * gateway refuses because the session has expired goes over the next one, once.
   */
  readonly call: <A>(
    options: CallOptions,
    run: (channel: Channel, timeoutMillis: number) => Effect.Effect<A, ChannelFailure>
  ) => Effect.Effect<A, CallFailure>
}
