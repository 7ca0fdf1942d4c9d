import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import { type GatewayServices, layerOf } from "../services/Gateway.js"
import { type CallSettings, connectionOptions } from "../services/GatewayOptions.js"
import { IdempotencyKeys } from "../services/idempotencyKey.js"
import { Identifiers } from "./Identifiers.js"
import type {
  LocalGatewayOptions,
  LocalGatewayTestOptions,
  Served,
  ServeFailure,
  ServeOptions,
  StartFailure
} from "./LocalGatewayOptions.js"
import type { SandboxChoice, SandboxFacts } from "./sandbox/Sandbox.js"
import { StoreUnavailable } from "./store/StoreUnavailable.js"
import { withSeed } from "./withSeed.js"

export { pack } from "./capabilities/Pack.js"
export type {
  LocalGatewayOptions,
  LocalGatewayTestOptions,
  Served,
  ServeFailure,
  ServeOptions,
  StartFailure
} from "./LocalGatewayOptions.js"
export type { Enforcement, SandboxChoice, SandboxFacts } from "./sandbox/Sandbox.js"

// What only the gateway needs is left out of a lean installation, and then this is the first to miss it.
const loading = <A>(module: () => Promise<A>) =>
  Effect.tryPromise({
    try: module,
    catch: (cause) =>
      new StoreUnavailable({
        reason: "not-installed",
        path: "",
        message: "The local gateway needs packages that are not installed: install kruxos without --omit=optional",
        cause
      })
  })

const load = loading(() => import("./running.js"))

const loadTest = loading(() => import("./runningTest.js"))

/**
 * A gateway inside this process, with real files, a real database, policy and approvals: the same program runs against a
 * KruxOS appliance with `NodeGateway.layer` instead.
 */
export const layer = (
  options: LocalGatewayOptions & CallSettings
): Layer.Layer<GatewayServices, StartFailure | ConnectionFailed | AuthenticationFailed> => {
  const connection = connectionOptions(options, Redacted.make(""), 0)
  return layerOf(Effect.flatMap(load, ({ link }) => link(options, connection)), connection, Option.none())
}

/**
 * The same gateway for one test: its workspace is a temporary directory, which goes with the layer, and its database is in memory. It
 * starts in some milliseconds, and works with a TestClock: nothing in it polls while it is idle.
 */
export const layerTest = (
  { seed, ...options }: LocalGatewayTestOptions & CallSettings = {}
): Layer.Layer<GatewayServices, StartFailure | ConnectionFailed | AuthenticationFailed> => {
  const connection = connectionOptions(
    { ...options, heartbeat: options.heartbeat ?? Duration.infinity },
    Redacted.make(""),
    0
  )
  const made = layerOf(Effect.flatMap(loadTest, ({ link }) => link(options, connection)), connection, Option.none())
  return seed === undefined ? made : Layer.scopedContext(
    made.pipe(
      Layer.provide(Layer.effect(IdempotencyKeys, Effect.map(Identifiers, ({ uuid }) => uuid))),
      Layer.build,
      withSeed(seed)
    )
  )
}

/**
 * Serves a gateway on one port, for any client: this SDK, an MCP client, or curl. It ends with the scope. Fails with
 * ServeFailed where the port cannot be had, OwnKeyUnknown where the agent exists and its key is not known, and as `layer`
 * does.
 */
export const serve = (options: ServeOptions): Effect.Effect<Served, ServeFailure, Scope.Scope> =>
  Effect.flatMap(load, (running) => running.serve(options))

/**
 * What would hold the programs that agents run on this machine, which it tries: `kind` is `missing`, and `problem` says why, where `serve`
 * and `layer` could start none. Without a choice it is that of a gateway that is told none.
 */
export const sandboxFacts = (choice?: SandboxChoice): Effect.Effect<SandboxFacts> =>
  Effect.flatMap(Effect.promise(() => import("./sandbox/examine.js")), (examine) => examine.sandboxFacts(choice))
