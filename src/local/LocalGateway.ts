import * as NodeContext from "@effect/platform-node/NodeContext"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Dial } from "../connection/Duplex.js"
import * as Memory from "../connection/memory.js"
import * as SocketLink from "../connection/socketLink.js"
import type { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import { type GatewayServices, layerOf } from "../services/Gateway.js"
import { type CallSettings, connectionOptions } from "../services/GatewayOptions.js"
import * as DataDirectory from "./data/DataDirectory.js"
import * as OwnAgent from "./data/ownAgent.js"
import * as GatewayCore from "./gatewayCore.js"
import { converse } from "./protocol/conversation.js"
import * as Server from "./protocol/server.js"
import type { AgentAlreadyExists, AgentRevoked, InvalidAgentName, InvalidApiKey } from "./store/AgentErrors.js"
import type { Agent } from "./store/Agents.js"
import type { StoreUnavailable } from "./store/StoreUnavailable.js"
import type { WorkspaceUnavailable } from "./workspace/WorkspaceUnavailable.js"

/** What a local gateway works with. */
export interface LocalGatewayOptions {
  /** The directory that agents see as `/workspace`: the only one that they can touch. */
  readonly workspace: string
  /**
   * Where the gateway keeps its database and its key; agents never see it. `:memory:` keeps nothing. Default: `.kruxos` in the
   * current directory.
   */
  readonly dataDirectory?: string | undefined
  /** The agent that exists from the start: 1–64 letters, digits, `.`, `-`, `_`. Default: `agent`. */
  readonly agent?: string | undefined
  /** Default: `catalogue`, the tiers of the catalogue. */
  readonly policy?: GatewayCore.PolicyChoice | undefined
}

/** Why a local gateway cannot start. */
export type StartFailure =
  | AgentAlreadyExists
  | AgentRevoked
  | DataDirectory.DataDirectoryUnavailable
  | InvalidAgentName
  | InvalidApiKey
  | SqlError
  | StoreUnavailable
  | WorkspaceUnavailable

const inMemory = ":memory:"

const openData = (directory: string | undefined) =>
  directory === inMemory
    ? Effect.succeedNone
    : Effect.asSome(Effect.provide(DataDirectory.open(directory ?? ".kruxos"), NodeContext.layer))

const core = (options: LocalGatewayOptions, data: Option.Option<DataDirectory.DataDirectory>) =>
  GatewayCore.layer({
    workspace: options.workspace,
    database: Option.match(data, { onNone: () => inMemory, onSome: ({ database }) => database }),
    dataDirectory: Option.getOrUndefined(Option.map(data, ({ realPath }) => realPath)),
    policy: options.policy ?? "catalogue"
  })

// Each dial is a new connection, served by a fiber of the gateway as a socket would be.
const dialOf = (agent: Agent): Effect.Effect<Dial, never, GatewayCore.CoreServices | Scope.Scope> =>
  Effect.map(FiberSet.makeRuntime<GatewayCore.CoreServices>(), (run) =>
    Effect.sync(() => {
      const [client, server] = Memory.makePair()
      run(converse(server, agent, "memory"))
      return client
    }))

/**
 * A gateway inside this process, with real files, a real database, policy and approvals: the same program runs against a
 * KruxOS appliance with `NodeGateway.layer` instead.
 */
export const layer = (
  options: LocalGatewayOptions & CallSettings
): Layer.Layer<GatewayServices, StartFailure | ConnectionFailed | AuthenticationFailed> =>
  Layer.unwrapEffect(Effect.map(openData(options.dataDirectory), (data) => {
    const connection = connectionOptions(options, Redacted.make(""))
    const link = Effect.gen(function*() {
      const agent = yield* OwnAgent.withoutKey(options.agent ?? "agent")
      return yield* SocketLink.make(yield* dialOf(agent), connection)
    })
    return layerOf(link, connection, Option.none()).pipe(Layer.provide(core(options, data)))
  }))

/** What `serve` needs besides. */
export interface ServeOptions extends LocalGatewayOptions {
  /** Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** 0 picks a free one. Default: 7700. */
  readonly port?: number | undefined
  /**
   * The agent's key: 64 hexadecimal characters. Else one is made at the first start, and kept in the data directory in a file
   * that only its owner can read.
   */
  readonly apiKey?: Redacted.Redacted<string> | undefined
}

/** A gateway that listens. */
export interface Served {
  /** The WebSocket, for MCP and for this SDK. */
  readonly url: string
  /** JSON-RPC over HTTP. */
  readonly rpc: string
  readonly port: number
  readonly agent: string
  readonly apiKey: Redacted.Redacted<string>
}

const hostOf = (address: string) => address.includes(":") ? `[${address}]` : address

/**
 * Serves a gateway on one port, for any client: this SDK, an MCP client, or curl. It ends with the scope. Fails with
 * ServeFailed where the port cannot be had, OwnKeyUnknown where the agent exists and its key is not known, and as `layer`
 * does.
 */
export const serve = (
  options: ServeOptions
): Effect.Effect<Served, StartFailure | Server.ServeFailed | OwnAgent.OwnKeyUnknown, Scope.Scope> =>
  Effect.gen(function*() {
    const data = yield* openData(options.dataDirectory)
    const services = yield* Layer.build(core(options, data))
    const name = options.agent ?? "agent"
    return yield* Effect.gen(function*() {
      const { agent, apiKey } = yield* OwnAgent.withKey(name, options.apiKey, data)
      const { address, port } = yield* Server.serve({ host: options.host ?? "127.0.0.1", port: options.port ?? 7700 })
      const authority = `${hostOf(address)}:${port}`
      return { url: `ws://${authority}/mcp`, rpc: `http://${authority}/rpc`, port, agent: agent.name, apiKey }
    }).pipe(Effect.provide(services))
  })
