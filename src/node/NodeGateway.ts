import * as HttpClient from "@effect/platform/HttpClient"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeDial from "../connection/nodeDial.js"
import type { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import { type GatewayServices, layerOn } from "../services/Gateway.js"
import { config, type GatewayOptions } from "../services/GatewayOptions.js"

const noHttp = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make(() => Effect.dieMessage("A connection over a WebSocket asks nothing over HTTP"))
)

// Loaded where it is used: it takes longer than all else that a connection over a WebSocket needs of the platform.
const overHttp = Layer.unwrapEffect(Effect.map(Effect.promise(() => import("./httpClient.js")), ({ layer }) => layer))

/**
 * Connects to a KruxOS gateway from Node, over a WebSocket whose upgrade carries the key in its Authorization header, or
 * over HTTP. Fails with ConnectionFailed where the gateway cannot be reached, and AuthenticationFailed where it refuses
 * the key; once connected it connects again by itself.
 */
export const layer = (
  options: GatewayOptions
): Layer.Layer<GatewayServices, ConnectionFailed | AuthenticationFailed> =>
  layerOn(options, (endpoint) => NodeDial.dial(endpoint.socket, options.apiKey)).pipe(
    Layer.provide(options.transport === "http" ? overHttp : noHttp)
  )

/**
 * `layer`, with the options of the environment: `KRUXOS_HOST` (or `KRUXOS_ENDPOINT`; `localhost:7700` unless set),
 * `KRUXOS_API_KEY` and `KRUXOS_AGENT_NAME`. Fails with ConfigError where the key is missing.
 */
export const layerConfig: Layer.Layer<GatewayServices, ConnectionFailed | AuthenticationFailed | ConfigError> = Layer
  .unwrapEffect(Effect.map(config, layer))
