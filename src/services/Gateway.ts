import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { builtIn } from "../catalogue/builtIn.js"
import { withdraw } from "../connection/approvals.js"
import type { Dial } from "../connection/Duplex.js"
import type { Endpoint } from "../connection/endpoint.js"
import * as HttpLink from "../connection/httpLink.js"
import type { GatewayStatus, Link } from "../connection/Link.js"
import type { ConnectionOptions } from "../connection/Options.js"
import * as SocketLink from "../connection/socketLink.js"
import * as WebSocketDial from "../connection/webSocket.js"
import { type AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import type { Feature, Session } from "../schema/Session.js"
import { make as makeApprovalRegion, type Send } from "./approvalRegion.js"
import { Approvals, make as makeApprovals } from "./Approvals.js"
import { Capabilities, make as makeCapabilities } from "./Capabilities.js"
import { make as makeDecisions } from "./decisions.js"
import { config, connectionOptions, endpointOf, type GatewayOptions } from "./GatewayOptions.js"
import { IdempotencyKeys } from "./idempotencyKey.js"
import { make as makeState, State } from "./State.js"
import { LongestTrust } from "./state/follower.js"
import { make as makeTransaction, Transaction } from "./Transaction.js"
import { loadCompensating } from "./transaction/compensating.js"
import { make as makeGatewayTransactions } from "./transaction/gateway.js"
import { make as makeTransactionRegion } from "./transaction/region.js"

/** How an MCP client reaches the gateway. Source: the guide's "MCP configuration". */
export interface McpConfig {
  readonly mcpServers: {
    readonly kruxos: { readonly url: string; readonly headers: { readonly Authorization: string } }
  }
}

/** The connection to a gateway. */
export interface GatewayService {
  /**
   * The session in use; while the connection is being made again, the next one. Fails with ConnectionFailed where there is none
   * within the `requestTimeout`.
   */
  readonly session: Effect.Effect<Session, ConnectionFailed | AuthenticationFailed>
  /** The status now, then each change; it ends after `Closed`. */
  readonly status: Stream.Stream<GatewayStatus>
  /** The parts of the protocol's extension that the gateway has; empty on a plain KruxOS. */
  readonly features: Effect.Effect<ReadonlySet<Feature>, ConnectionFailed | AuthenticationFailed>
  /** The configuration for an MCP client, key included; None for a gateway inside this process. */
  readonly asMcpConfig: Option.Option<Redacted.Redacted<McpConfig>>
}

// What is sent elsewhere would take the arguments with it.
const withoutRedirects = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(
    HttpClient.HttpClient,
    HttpClient.transform((sending) =>
      Effect.provideService(sending, FetchHttpClient.RequestInit, { redirect: "manual" })
    )
  )
).pipe(Layer.provide(FetchHttpClient.layer))

/** The connection to the gateway that a Layer connects to. */
export class Gateway extends Context.Tag("kruxos/Gateway")<Gateway, GatewayService>() {
  /**
   * Connects with what every platform has: its own WebSocket, which cannot set headers (the key goes into the query), or
   * fetch. On Node use `NodeGateway.layer` of `kruxos/node`.
   */
  static readonly layer = (
    options: GatewayOptions
  ): Layer.Layer<GatewayServices, ConnectionFailed | AuthenticationFailed> =>
    layerOn(options, (endpoint) => WebSocketDial.dial(endpoint, options.apiKey)).pipe(
      Layer.provide(withoutRedirects)
    )

  /** `layer`, with the options of the environment: see {@link config}. */
  static readonly layerConfig: Layer.Layer<GatewayServices, ConnectionFailed | AuthenticationFailed | ConfigError> =
    Layer.unwrapEffect(Effect.map(config, (options) => Gateway.layer(options)))
}

/** What a gateway's Layer provides. */
export type GatewayServices = Gateway | Capabilities | Approvals | State | Transaction

const mcpConfig = (url: string, apiKey: Redacted.Redacted<string>): Redacted.Redacted<McpConfig> =>
  Redacted.make({
    mcpServers: { kruxos: { url, headers: { Authorization: `Bearer ${Redacted.value(apiKey)}` } } }
  })

/** Makes the services of a Layer over a link. */
export const layerOf = <E, R>(
  link: Effect.Effect<Link, E, R | Scope.Scope>,
  options: ConnectionOptions,
  socketUrl: Option.Option<string>
): Layer.Layer<GatewayServices, E, Exclude<R, Scope.Scope>> =>
  Layer.scopedContext(Effect.gen(function*() {
    const made = yield* link
    const { requestTimeoutMillis } = options
    const decisions = yield* makeDecisions(made, requestTimeoutMillis)
    const approvals = makeApprovalRegion(made, decisions)
    const makeKey = yield* IdempotencyKeys
    const capabilitiesOver = (send?: Send) => makeCapabilities(made, builtIn, requestTimeoutMillis, send, makeKey)
    const transactions = makeTransactionRegion(
      approvals.send,
      yield* makeGatewayTransactions(made, requestTimeoutMillis),
      loadCompensating({
        ask: capabilitiesOver().invoke,
        withdraw: (approvalId) => withdraw(made, approvalId, requestTimeoutMillis)
      }),
      yield* Effect.scope
    )
    const channel = Effect.timeoutFail(made.channel, {
      duration: Duration.millis(requestTimeoutMillis),
      onTimeout: () =>
        new ConnectionFailed({ message: `No session within ${requestTimeoutMillis / 1000} s: the connection is lost` })
    })
    const gateway: GatewayService = {
      session: Effect.map(channel, ({ session }) => session),
      status: made.status,
      features: Effect.map(channel, ({ features }) => features),
      asMcpConfig: Option.map(socketUrl, (url) => mcpConfig(url, options.apiKey))
    }
    const capabilities = capabilitiesOver(transactions.send)
    return Context.make(Gateway, gateway).pipe(
      Context.add(Capabilities, capabilities),
      Context.add(State, makeState(made, capabilities, capabilitiesOver(approvals.send), yield* LongestTrust)),
      Context.add(Approvals, makeApprovals(made, builtIn, requestTimeoutMillis, decisions, approvals)),
      Context.add(Transaction, makeTransaction(transactions, capabilitiesOver))
    )
  }))

/** The Layer for the given options, with sockets that are opened the given way. */
export const layerOn = (options: GatewayOptions, dial: (endpoint: Endpoint) => Dial) =>
  Layer.unwrapEffect(Effect.map(endpointOf(options), (endpoint) => {
    const connection = connectionOptions(options, options.apiKey)
    const link = options.transport === "http"
      ? HttpLink.make(endpoint.rpc, connection)
      : SocketLink.make(dial(endpoint), connection)
    return layerOf(link, connection, Option.some(endpoint.socket))
  }))
