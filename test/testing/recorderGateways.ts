import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { GatewayServices } from "kruxos"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Dial } from "../../src/connection/Duplex.js"
import * as Memory from "../../src/connection/memory.js"
import * as SocketLink from "../../src/connection/socketLink.js"
import { ApprovalQueue } from "../../src/local/approvals/ApprovalQueue.js"
import type { CoreServices } from "../../src/local/gatewayCore.js"
import { converse } from "../../src/local/protocol/conversation.js"
import { Agents } from "../../src/local/store/Agents.js"
import { SharedState } from "../../src/local/store/SharedState.js"
import { layerOf } from "../../src/services/Gateway.js"
import { connectionOptions } from "../../src/services/GatewayOptions.js"
import { type CustomOptions, serveCore, type Serving } from "../local/protocol/customGateway.js"
import { folders } from "../support/gateway.js"

/** What others do while a program runs. */
export interface World {
  readonly approve: (approvalId: string) => Effect.Effect<void>
  readonly reject: (approvalId: string, reason: string) => Effect.Effect<void>
  /** Another agent writes shared state that was not there. */
  readonly share: (key: string, value: string) => Effect.Effect<void>
}

/** Nobody does anything: it is in the cassette. */
export const nobody: World = {
  approve: () => Effect.void,
  reject: () => Effect.void,
  share: () => Effect.void
}

export interface RealGateway {
  readonly layer: Layer.Layer<GatewayServices, unknown>
  readonly world: World
  /** The agent's key. */
  readonly key: string
}

const worldOf = (services: Context.Context<CoreServices>): World => {
  const queue = Context.get(services, ApprovalQueue)
  const shared = Context.get(services, SharedState)
  return {
    approve: (approvalId) => Effect.orDie(queue.decide(approvalId, { verdict: "approve", by: "a supervisor" })),
    reject: (approvalId, reason) =>
      Effect.orDie(queue.decide(approvalId, { verdict: "reject", by: "a supervisor", reason })),
    share: (key, value) =>
      Effect.orDie(
        shared.set(key, JSON.stringify(value), 0, {
          agent: "somebody-else",
          at: 1_767_323_045_000,
          source: "elsewhere"
        })
      )
  }
}

const inMemory = (services: Context.Context<CoreServices>): Layer.Layer<GatewayServices, unknown> => {
  const connection = connectionOptions({}, Redacted.make(""), 0)
  const link = Effect.gen(function*() {
    const agent = yield* Effect.flatMap(Context.get(services, Agents).get("agent"), Effect.orDie)
    const run = yield* FiberSet.makeRuntime<CoreServices>()
    const dial: Dial = Effect.sync(() => {
      const [client, server] = Memory.makePair()
      run(Effect.scoped(converse(server, agent, "memory")))
      return client
    })
    return yield* SocketLink.make(dial, connection)
  })
  return layerOf(Effect.provide(link, services), connection, Option.none())
}

const over = (transport: "memory" | "websocket" | "http", { gateway, services }: Serving): RealGateway => ({
  layer: transport === "memory"
    ? inMemory(services)
    : NodeGateway.layer({ host: gateway.url, apiKey: Redacted.make(gateway.key), transport }),
  world: worldOf(services),
  key: gateway.key
})

/** A local gateway with a README in its workspace, over the given transport. */
export const realGateway = (
  transport: "memory" | "websocket" | "http",
  options: CustomOptions = {}
): Effect.Effect<RealGateway, never, Scope.Scope> =>
  Effect.gen(function*() {
    const used = yield* folders
    fs.writeFileSync(join(used.workspace, "README.md"), "# Workspace\n")
    fs.writeFileSync(join(used.workspace, "old.txt"), "old\n")
    fs.writeFileSync(join(used.workspace, "kept.txt"), "kept\n")
    return over(transport, yield* serveCore(options, Effect.succeed(used)))
  })

/** The path of a cassette that is not there yet, in a folder that goes with the scope. */
export const cassettePath: Effect.Effect<string, never, Scope.Scope> = Effect.map(
  folders,
  ({ workspace }) => join(workspace, "cassettes", "program.json")
)
