import * as NodeContext from "@effect/platform-node/NodeContext"
import type { SqlError } from "@effect/sql/SqlError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Dial, Duplex } from "../connection/Duplex.js"
import type { Link } from "../connection/Link.js"
import * as Memory from "../connection/memory.js"
import type { ConnectionOptions } from "../connection/Options.js"
import * as SocketLink from "../connection/socketLink.js"
import { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import * as Announcement from "./data/announcement.js"
import * as DataDirectory from "./data/DataDirectory.js"
import * as OwnAgent from "./data/ownAgent.js"
import * as OwnSupervisor from "./data/ownSupervisor.js"
import * as GatewayCore from "./gatewayCore.js"
import { within } from "./inOrder.js"
import type { LocalGatewayOptions, Served, ServeFailure, ServeOptions, StartFailure } from "./LocalGatewayOptions.js"
import { converse } from "./protocol/conversation.js"
import * as Server from "./protocol/server.js"
import { Sandbox } from "./sandbox/Sandbox.js"
import { AgentRevoked } from "./store/AgentErrors.js"
import { Agents } from "./store/Agents.js"
import { policyName } from "./supervisor/policyName.js"
import { tracingInvocations } from "./tracing/GatewayTracer.js"

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
    policy: options.policy,
    allowedHosts: options.network?.allow,
    backupKey: options.backupKey,
    vaultKey: options.vaultKey,
    sandbox: options.sandbox,
    packs: options.packs ?? []
  })

const cannotConnect = (cause: SqlError) =>
  new ConnectionFailed({ message: "The gateway's store does not answer", cause })

const revoked = (cause: AgentRevoked) =>
  new AuthenticationFailed({ type: "auth.agent_revoked", message: cause.message })

/**
 * Opens connections in memory to the gateway whose services these are: each is served by a fiber of the gateway as a socket would be,
 * for the agent as it is by then. They end with the current scope. `served` may put something in front of the gateway's end of each.
 */
export const dialOf = (
  name: string,
  served: (duplex: Duplex) => Duplex = identity
): Effect.Effect<Dial, never, GatewayCore.CoreServices | Scope.Scope> =>
  Effect.gen(function*() {
    const agents = yield* Agents
    const run = yield* FiberSet.makeRuntime<GatewayCore.CoreServices>()
    return Effect.gen(function*() {
      const agent = yield* Effect.mapError(agents.get(name), cannotConnect)
      if (Option.isNone(agent) || agent.value.status === "revoked") return yield* revoked(new AgentRevoked({ name }))
      const [client, server] = Memory.makePair()
      run(converse(served(server), agent.value, "memory"))
      return client
    })
  })

/** A link to a gateway inside this process, which ends with the scope. */
export const link = (
  options: LocalGatewayOptions,
  connection: ConnectionOptions
): Effect.Effect<Link, StartFailure | ConnectionFailed | AuthenticationFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const data = yield* openData(options.dataDirectory)
    const services = yield* Layer.build(core(options, data))
    return yield* Effect.gen(function*() {
      const { name } = yield* OwnAgent.withoutKey({ name: options.agent ?? "agent", data })
      return yield* SocketLink.make(yield* dialOf(name), connection)
    }).pipe(within(services))
  }).pipe(tracingInvocations)

const hostOf = (address: string) => address.includes(":") ? `[${address}]` : address

/** A gateway that listens until the scope ends, and then lets finish what runs. */
export const serve = (options: ServeOptions): Effect.Effect<Served, ServeFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const data = yield* openData(options.dataDirectory)
    const services = yield* Layer.build(core(options, data))
    return yield* Effect.gen(function*() {
      const { agent, apiKey } = yield* OwnAgent.withKey({
        name: options.agent ?? "agent",
        apiKey: options.apiKey,
        data
      })
      const supervisorToken = yield* OwnSupervisor.token(data)
      const { address, port } = yield* Server.serve({
        host: options.host ?? "127.0.0.1",
        port: options.port ?? 7700,
        gracePeriod: Duration.decode(options.gracePeriod ?? "10 seconds"),
        policy: policyName(options.policy, Option.getOrUndefined(Option.map(data, ({ realPath }) => realPath)))
      })
      const authority = `${hostOf(address)}:${port}`
      const api = `http://${authority}/api`
      if (Option.isSome(data)) yield* Announcement.announce(data.value, api)
      return {
        url: `ws://${authority}/mcp`,
        rpc: `http://${authority}/rpc`,
        api,
        port,
        sandbox: yield* Effect.flatMap(Sandbox, ({ facts }) => facts),
        agent: agent.name,
        apiKey,
        supervisorToken,
        page: Redacted.make(`http://${authority}/#token=${Redacted.value(supervisorToken)}`)
      }
    }).pipe(Effect.provide(services))
  }).pipe(tracingInvocations)
