import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { ApprovalRequired, Approvals, Capabilities, type CapabilitiesService, type GatewayServices } from "kruxos"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { NoAnswer } from "../../../src/local/egress/failures.js"
import { Resolver } from "../../../src/local/egress/Resolver.js"
import type { ServeOptions } from "../../../src/local/LocalGatewayOptions.js"
import { Agents, type NewAgent } from "../../../src/local/store/Agents.js"
import { withoutBubblewrap } from "../../local/capabilities/process/support.js"
import { serve, type TestGateway } from "../../support/gateway.js"
import { decide } from "../../support/supervisor.js"

/** A name that the name servers of these gateways know, and its address. */
export const knownHost = { name: "there.test", address: "127.0.0.1" }

/** What rows invoke with: an agent that is connected to a served gateway over a WebSocket. */
export interface World {
  readonly gateway: TestGateway
  readonly invoke: CapabilitiesService["invoke"]
  /** For arguments that the types do not let through: the gateway has to refuse them. */
  readonly invokeDynamic: CapabilitiesService["invokeDynamic"]
  readonly services: Context.Context<GatewayServices>
  readonly agent: string
  /** A directory of the workspace that no other row uses. */
  readonly directory: string
  /** The host's path of something in the workspace. */
  readonly host: (path: string) => string
  /** Writes a file of the workspace as somebody else, with the directories above it. */
  readonly put: (path: string, content: string | Uint8Array) => void
  readonly text: (path: string) => string
  /** A further agent of the same gateway, in a session of its own. */
  readonly another: (agent: NewAgent) => Effect.Effect<World, never, Scope.Scope>
  /** A gateway of its own for what the others shall not notice. */
  readonly elsewhere: (options?: Partial<ServeOptions>) => Effect.Effect<World, never, Scope.Scope>
  /** Such a gateway, whose database has lost a table. */
  readonly without: (table: string) => Effect.Effect<World, never, Scope.Scope>
  /** Has a supervisor approve what was asked for, and waits for what comes of it. */
  readonly approved: <A, E>(invocation: Effect.Effect<A, E>) => Effect.Effect<unknown, unknown>
}

const isRequest = Schema.is(ApprovalRequired)

const clientOf = (gateway: TestGateway, apiKey: string) =>
  Effect.orDie(Layer.build(NodeGateway.layer({ host: gateway.url, apiKey: Redacted.make(apiKey) })))

let directories = 0

interface Seat {
  readonly agent: string
  readonly apiKey: string
  readonly workspace: string
}

const worldOf = (gateway: TestGateway, { agent, apiKey, workspace }: Seat): Effect.Effect<World, never, Scope.Scope> =>
  Effect.gen(function*() {
    const services = yield* clientOf(gateway, apiKey)
    const { invoke, invokeDynamic } = Context.get(services, Capabilities)
    const approvals = Context.get(services, Approvals)
    const host = (path: string) => join(workspace, path)
    return {
      gateway,
      invoke,
      invokeDynamic,
      services,
      agent,
      host,
      get directory() {
        const name = `row-${directories++}`
        fs.mkdirSync(host(name))
        return name
      },
      put: (path, content) => {
        fs.mkdirSync(dirname(host(path)), { recursive: true })
        fs.writeFileSync(host(path), content)
      },
      text: (path) => fs.readFileSync(host(path), "utf8"),
      another: (one) =>
        Effect.gen(function*() {
          const created = yield* Effect.orDie(
            gateway.inStore(Effect.flatMap(Agents, (agents) => agents.create(one)))
          )
          const own = one.workspace ?? gateway.workspace
          return yield* worldOf(gateway, { agent: one.name, apiKey: Redacted.value(created.apiKey), workspace: own })
        }),
      elsewhere: make,
      without: (table) =>
        Effect.gen(function*() {
          const world = yield* make()
          yield* dropTable(world.gateway, table)
          return world
        }),
      approved: (invocation) =>
        Effect.gen(function*() {
          const asked = yield* Effect.flip(invocation)
          if (!isRequest(asked)) return yield* Effect.fail(asked)
          yield* decide(gateway, asked.approvalId, "approve")
          return yield* approvals.wait(asked.approvalId, { timeout: "10 seconds" })
        })
    } satisfies World
  })

const dropTable = ({ inStore }: TestGateway, table: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(`ALTER TABLE ${table} RENAME TO lost_${table}`)).pipe(
    inStore,
    Effect.orDie
  )

const nameServers = Effect.provideService(Resolver, {
  addressesOf: (name: string) =>
    name === knownHost.name
      ? Effect.succeed([knownHost.address])
      : Effect.fail(new NoAnswer({ reason: "not_resolved", message: `${name} has no address`, sent: false }))
})

/** A served gateway where every capability runs and local hosts may be reached, and an agent of it. */
const make = (options: Partial<ServeOptions> = {}): Effect.Effect<World, never, Scope.Scope> =>
  Effect.gen(function*() {
    const gateway = yield* serve({
      policy: "allow-all",
      network: { allow: ["127.0.0.1", knownHost.name, "nobody.test"] },
      ...withoutBubblewrap === undefined ? {} : { sandbox: "none" },
      gracePeriod: "100 millis",
      ...options
    }).pipe(nameServers)
    return yield* worldOf(gateway, { agent: gateway.agent, apiKey: gateway.key, workspace: gateway.workspace })
  })

/** The world that the rows share. */
export class Shared extends Context.Tag("test/capabilities/table/World")<Shared, World>() {
  static readonly layer = Layer.scoped(Shared, make())
}
