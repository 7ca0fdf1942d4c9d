import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { AuthenticationFailed, ConnectionFailed, GatewayError } from "../errors/gateway.js"
import type { RpcError } from "../errors/wire.js"
import type { Feature, Session } from "../schema/Session.js"
import type { CallTrace } from "./CallTrace.js"
import type { Meter } from "./Meter.js"
import type { Peer, RequestFailure } from "./Peer.js"
import type { ProgressTokens } from "./progress.js"
import type { Traffic } from "./Traffic.js"

/** What ended with a session, besides its state at the gateway, its watches and its transactions. */
export interface LostSession {
  readonly session: Session
  /** How many calls have failed with OutcomeUnknown because the connection was lost. */
  readonly calls: number
}

/**
 * How the connection to a gateway is: being made, there, lost and being made again, or over. `Connected` has what was lost
 * with the session before, if there was one and the gateway does not go on with it. `Closed` has the error that ended the connection,
 * unless it was closed by its scope.
 */
export type GatewayStatus = Data.TaggedEnum<{
  Connecting: {}
  Connected: { readonly session: Session; readonly lost: LostSession | undefined }
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
  /** Whether it is the session of an earlier channel, with all that it had. */
  readonly isResumed: boolean
  readonly features: ReadonlySet<Feature>
  /** Where the gateway keeps its record of keyed invocations, if it has one: a repeat is safe only at the same record. */
  readonly outcomeRecord: string | undefined
  /** Whether the gateway takes `capabilities.*`, or only the tools of MCP. */
  readonly dialect: "native" | "mcp"
  readonly request: (
    method: string,
    params: unknown,
    timeoutMillis: number,
    traffic?: Traffic
  ) => Effect.Effect<unknown, ChannelFailure>
  /** Who wants to know how far their calls are, where the gateway can send anything by itself. */
  readonly progress?: ProgressTokens
  /** Where the transport can be asked without an Effect. */
  readonly peer?: Pick<Peer, "ask" | "stop">
}

/** What is to be known of a call for the case that its answer does not come. */
export interface CallOptions {
  /** The capability or method, for messages. */
  readonly operation: string
  readonly timeoutMillis: number
  /** Whether the call can be sent twice without harm. */
  readonly replayable: boolean
  /** Sent along where the gateway keeps a record of keyed invocations: then it runs the call once, however often it is sent. */
  readonly idempotencyKey?: string | undefined
  /** What counts it, if it is an invocation. */
  readonly meter?: Meter | undefined
  /** What traces it, if somebody does. */
  readonly trace?: CallTrace | undefined
}

/** What a call fails with besides the other side's own answer. */
export type CallFailure = GatewayError | Extract<RequestFailure, { readonly _tag: "RpcFailure" | "Unsendable" }>

/** A message that the gateway sent by itself. */
export interface ServerNotification {
  readonly method: string
  readonly params: unknown
}

/** What is asked natively, once, in the usual case of a call; and how such a call goes in every other case. */
export interface Question<Options extends CallOptions, A, E> {
  readonly method: string
  readonly params: (options: Options, channel: Channel) => unknown
  /** What the call succeeds with, or undefined where that takes more than a look at the result. */
  readonly read: (result: unknown) => Effect.Effect<A> | undefined
  /** The whole call, which ends at the deadline. Where the question has been put, the first `call` begins with its answer. */
  readonly otherwise: (options: Options, call: Link["call"], deadline: number) => Effect.Effect<A, E>
}

/** A connection that outlives its sockets. */
export interface Link {
  /** The current status, then each change. */
  readonly status: Stream.Stream<GatewayStatus>
  /** The session in use; while there is none, the next one. Fails when the connection is over. */
  readonly channel: Effect.Effect<Channel, ConnectionFailed | AuthenticationFailed>
  /** What the gateway sends by itself, besides progress; a reader that does not keep up loses the oldest. */
  readonly notifications: Stream.Stream<ServerNotification>
  /** Whether the gateway can send anything by itself. */
  readonly pushes: boolean
  /** Calls the listener with each notification as it arrives, synchronously, until the scope closes: it misses none. */
  readonly listen: (
    listener: (notification: ServerNotification) => void
  ) => Effect.Effect<void, never, Scope.Scope>
  /**
   * Asks over the current session, or waits for the next one, within the call's deadline. A call whose session is lost
   * before the answer is sent again, once, if it is replayable or keyed; else it fails with OutcomeUnknown. A call that the
   * gateway refuses because the session has expired goes over the next one, once. `isRepeat` tells what was sent before.
   */
  readonly call: <A>(
    options: CallOptions,
    run: (channel: Channel, timeoutMillis: number, isRepeat: boolean) => Effect.Effect<A, ChannelFailure>
  ) => Effect.Effect<A, CallFailure>
  /** A call at the least cost: where a native session is open and no call waits, it takes one request and its answer. */
  readonly direct: <Options extends CallOptions, A, E extends { readonly _tag: string }>(
    options: Options,
    question: Question<Options, A, E>
  ) => Effect.Effect<A, E>
}
