import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import { type GatewayServices, layerOf } from "../services/Gateway.js"
import { type CallSettings, connectionOptions } from "../services/GatewayOptions.js"
import type { LocalGatewayOptions, Served, ServeFailure, ServeOptions, StartFailure } from "./LocalGatewayOptions.js"
import { StoreUnavailable } from "./store/StoreUnavailable.js"

export { pack } from "./capabilities/Pack.js"
export type { LocalGatewayOptions, Served, ServeFailure, ServeOptions, StartFailure } from "./LocalGatewayOptions.js"

// What only the gateway needs is left out of a lean installation, and then this is the first to miss it.
const load = Effect.tryPromise({
  try: () => import("./running.js"),
  catch: (cause) =>
    new StoreUnavailable({
      reason: "not-installed",
      path: "",
      message: "The local gateway needs packages that are not installed: install kruxos without --omit=optional",
      cause
    })
})

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
 * Serves a gateway on one port, for any client: this SDK, an MCP client, or curl. It ends with the scope. Fails with
 * ServeFailed where the port cannot be had, OwnKeyUnknown where the agent exists and its key is not known, and as `layer`
 * does.
 */
export const serve = (options: ServeOptions): Effect.Effect<Served, ServeFailure, Scope.Scope> =>
  Effect.flatMap(load, (running) => running.serve(options))
