import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import * as Capability from "../../../src/catalogue/Capability.js"
import * as Catalogue from "../../../src/catalogue/Catalogue.js"
import { builtInProse } from "../../../src/catalogue/prose/builtIn.js"
import * as ApprovalQueue from "../../../src/local/approvals/ApprovalQueue.js"
import * as Audit from "../../../src/local/audit/Audit.js"
import { makeRegistrations } from "../../../src/local/capabilities/builtIn.js"
import * as Directory from "../../../src/local/capabilities/Directory.js"
import { type HandlerFailure, type Invocation, registerAll } from "../../../src/local/capabilities/Handler.js"
import * as ProcessTable from "../../../src/local/capabilities/process/ProcessTable.js"
import * as Registrations from "../../../src/local/capabilities/Registrations.js"
import * as HealthCheck from "../../../src/local/capabilities/system/healthCheck.js"
import * as MachineSampler from "../../../src/local/capabilities/system/Sampler.js"
import * as Core from "../../../src/local/Core.js"
import type { CoreServices } from "../../../src/local/gatewayCore.js"
import * as RunOnce from "../../../src/local/idempotency/RunOnce.js"
import * as Policy from "../../../src/local/policy/Policy.js"
import * as Drain from "../../../src/local/protocol/drain.js"
import * as Methods from "../../../src/local/protocol/methods.js"
import * as Server from "../../../src/local/protocol/server.js"
import * as EffectChecks from "../../../src/local/recovery/EffectChecks.js"
import * as Turns from "../../../src/local/recovery/Turns.js"
import * as SandboxLayer from "../../../src/local/sandbox/sandboxLayer.js"
import * as Sessions from "../../../src/local/sessions/Sessions.js"
import * as Workspaces from "../../../src/local/sessions/Workspaces.js"
import type * as SessionStates from "../../../src/local/state/SessionStates.js"
import * as State from "../../../src/local/state/State.js"
import { Agents } from "../../../src/local/store/Agents.js"
import * as Store from "../../../src/local/store/Store.js"
import { Supervisors } from "../../../src/local/store/Supervisors.js"
import * as SupervisorToken from "../../../src/local/store/SupervisorToken.js"
import type { Bounds } from "../../../src/local/supervision/Ring.js"
import * as Supervision from "../../../src/local/supervision/Supervision.js"
import * as StateViews from "../../../src/local/transactions/stateViews.js"
import * as Transactions from "../../../src/local/transactions/transactionsLayer.js"
import type { Undo } from "../../../src/local/transactions/Undo.js"
import * as Undos from "../../../src/local/transactions/Undos.js"
import { folders, quietly, type TestGateway, testGateway } from "../../support/gateway.js"

const testCapabilities = (sideEffects: ReadonlyArray<Capability.Reversibility>) =>
  Catalogue.make(Capability.make("test.run", {
    tier: "autonomous",
    tags: [],
    inputs: { text: Capability.optional(Schema.String, "") },
    outputs: { text: Schema.String },
    errors: {},
    sideEffects
  }))

export interface CustomOptions {
  readonly policy?: Policy.PolicyService
  /** Whether the capabilities of the catalogue are there, too: unless told otherwise, they are. */
  readonly builtIn?: boolean
  /** Where the files of the supervisors' page are; the built ones unless given. */
  readonly pageDirectory?: string
  /** How much there may be in the store. */
  readonly store?: Omit<Store.Options, "filename">
  readonly sessionState?: SessionStates.Options
  /** Default: none. */
  readonly gracePeriod?: Duration.DurationInput
  /** How many of the last events are kept for supervisors; default: as many as a gateway keeps. */
  readonly events?: Bounds
  /** How capabilities are undone, besides those that a gateway can undo by itself. */
  readonly undos?: ReadonlyMap<string, Undo>
  /** What the catalogue says of the side effects of `test.run`; default: that it has none. */
  readonly sideEffects?: ReadonlyArray<Capability.Reversibility>
  /** What the capability `test.run` does, which has a text for its argument and for its output. */
  readonly run?: (text: string, invocation: Invocation) => Effect.Effect<string, HandlerFailure>
}

/** A gateway's core with a policy of the test's, and one capability more, which the test carries out. */
export const customCore = (
  options: CustomOptions,
  { database, workspace }: { readonly database: string; readonly workspace: string }
): Layer.Layer<CoreServices | Store.Store> => {
  const policy = Layer.succeed(Policy.Policy, options.policy ?? Policy.catalogueTiers(Object.values(builtIn)))
  const directory = Layer.effect(
    Directory.Directory,
    Effect.map(Policy.Policy, (made) => Directory.make(builtIn, builtInProse, made))
  )
  const registrations = Effect.map(
    options.builtIn === false ? Effect.succeed([]) : makeRegistrations,
    (builtInOnes) => [
      ...builtInOnes,
      ...registerAll(testCapabilities(options.sideEffects ?? []), {
        "test.run": ({ text }, invocation) =>
          Effect.map(options.run?.(text, invocation) ?? Effect.succeed(text), (output) => ({ text: output }))
      })
    ]
  )
  const undos = Layer.effect(
    Undos.Undos,
    Effect.map(Undos.Undos, (own) => new Map([...own, ...options.undos ?? []]))
  ).pipe(Layer.provide(Undos.layer))
  return Methods.layer.pipe(
    Layer.provide(Core.layer),
    Layer.provideMerge(ApprovalQueue.layer),
    Layer.provide(Registrations.layer(registrations)),
    Layer.provideMerge(Layer.provideMerge(ProcessTable.layer, SandboxLayer.layer({}))),
    Layer.provideMerge(Layer.provide(Transactions.layer, [undos, StateViews.layer])),
    Layer.provideMerge(RunOnce.layer),
    Layer.provideMerge(EffectChecks.layer),
    Layer.provideMerge(Turns.layer),
    Layer.provideMerge(Audit.layer(undefined)),
    Layer.provideMerge(Drain.layer),
    Layer.provideMerge(Sessions.layer),
    Layer.provide(directory),
    Layer.provideMerge(Supervision.layer(options.events)),
    Layer.provideMerge(Layer.provideMerge(HealthCheck.layer, MachineSampler.layer)),
    Layer.provideMerge(Workspaces.layer(workspace, undefined)),
    Layer.provide([policy, State.layer(options.sessionState)]),
    Layer.provideMerge(Store.layer({ ...options.store, filename: database })),
    Layer.orDie
  )
}

/** A gateway that listens, and what is behind its protocols. */
export interface Serving {
  readonly gateway: TestGateway
  readonly services: Context.Context<CoreServices | Store.Store>
}

/** Serves such a gateway on a free port until the scope ends; on data that is there already, its agent gets a new key. */
export const serveCore = (
  options: CustomOptions,
  on: typeof folders = folders
): Effect.Effect<Serving, never, Scope.Scope> =>
  Effect.gen(function*() {
    const used = yield* on
    const database = join(used.dataDirectory, "gateway.db")
    const services = yield* Layer.build(customCore(options, { database, workspace: used.workspace }))
    return yield* Effect.gen(function*() {
      const agents = yield* Agents
      const apiKey = yield* agents.create({ name: "agent" }).pipe(
        Effect.map((created) => created.apiKey),
        Effect.catchTag("AgentAlreadyExists", () => agents.rotate("agent"))
      )
      const supervisorToken = SupervisorToken.generate()
      yield* (yield* Supervisors).register(supervisorToken)
      const { port } = yield* Server.serve({
        host: "127.0.0.1",
        port: 0,
        gracePeriod: Duration.decode(options.gracePeriod ?? 0),
        policy: Effect.succeed("of the test"),
        pageDirectory: options.pageDirectory
      })
      const url = `ws://127.0.0.1:${port}/mcp`
      const rpc = `http://127.0.0.1:${port}/rpc`
      const api = `http://127.0.0.1:${port}/api`
      const page = Redacted.make(`http://127.0.0.1:${port}/#token=${Redacted.value(supervisorToken)}`)
      const gateway = testGateway({ url, rpc, api, port, agent: "agent", apiKey, supervisorToken, page }, used)
      return { gateway, services }
    }).pipe(Effect.provide(services))
  }).pipe(Effect.orDie, quietly)

/** The same, where what is behind it is of no interest. */
export const serveCustom = (
  options: CustomOptions,
  on: typeof folders = folders
): Effect.Effect<TestGateway, never, Scope.Scope> => Effect.map(serveCore(options, on), ({ gateway }) => gateway)
