import type { ConfigError } from "effect/ConfigError"
import * as ConfigErrors from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import type { GatewayServices } from "../services/Gateway.js"
import { type CommandFailed, failed } from "./exit.js"
import { oneLine } from "./text.js"

const keyHint = "a gateway prints it when it is ready, and `kruxos agent create` makes one"

const explain = (error: ConnectionFailed | AuthenticationFailed | ConfigError): string => {
  if (ConfigErrors.isConfigError(error)) {
    return ConfigErrors.isMissingDataOnly(error)
      ? `KRUXOS_API_KEY is not set: set it to the agent's key; ${keyHint}`
      : `The environment cannot be read: ${error.message}`
  }
  switch (error._tag) {
    case "AuthenticationFailed":
      return `${error.message}: set KRUXOS_API_KEY to the key of an agent of this gateway; ${keyHint}`
    case "ConnectionFailed":
      return `${error.message}: set KRUXOS_HOST to where the gateway is, or start one with \`kruxos gateway\``
  }
}

/** Runs an effect against the gateway that the environment names. */
export const withGateway = <A, R>(
  self: Effect.Effect<A, CommandFailed, R>
): Effect.Effect<A, CommandFailed, Exclude<R, GatewayServices>> =>
  Effect.gen(function*() {
    // Loaded when needed, so that help does not wait for it.
    const { layerConfig } = yield* Effect.promise(() => import("../node/NodeGateway.js"))
    const layer = Layer.mapError(layerConfig, (error) => failed(oneLine(explain(error))))
    return yield* Effect.provide(self, layer)
  })
