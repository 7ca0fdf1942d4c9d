import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Schedule from "effect/Schedule"
import * as Endpoint from "../connection/endpoint.js"
import type { ConnectionOptions } from "../connection/Options.js"
import * as SendQueue from "../connection/SendQueue.js"
import { defaultReconnect } from "../connection/socketLink.js"
import { AuthenticationFailed } from "../errors/gateway.js"

/** What every connection may say; what carries it is chosen by the Layer. */
export interface CallSettings {
  /** Sent to the gateway as the client's name, over a WebSocket. Default: `kruxos`. */
  readonly agentName?: string | undefined
  /** How long a call waits for its answer, unless it says otherwise. Default: 30 seconds. */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /** The waits between attempts to connect again. Default: 1 s doubling up to 60 s, with jitter, without end. */
  readonly reconnect?: Schedule.Schedule<unknown> | undefined
  /**
   * How often the gateway is asked for a sign of life; a connection that gives none is found dead within two of these. Default:
   * 15 seconds.
   */
  readonly heartbeat?: Duration.DurationInput | undefined
  /** How many calls may be unanswered at a time; further ones wait. Default: 10,000. */
  readonly maxInFlight?: number | undefined
  /**
   * How many bytes of calls may wait for the network to take them; while there are more, further calls wait, unwritten, in their
   * order and within their deadlines. Default: 67,108,864 (64 MiB).
   */
  readonly sendQueueBytes?: number | undefined
  /**
   * How long calls in flight may take to finish when the Layer's scope closes. New ones fail at once then; those that have not
   * finished are cancelled, at the gateway too. Default: 5 seconds; none for a gateway inside this process.
   */
  readonly gracePeriod?: Duration.DurationInput | undefined
}

/** Where a gateway is, and how to speak with it. */
export interface GatewayOptions extends CallSettings {
  /**
   * `localhost:7700`, or a ws, wss, http or https URL. The path is `/mcp` unless the URL has one. Default:
   * `localhost:7700`.
   */
  readonly host?: string | undefined
  /** The agent's key: any text that is not empty. */
  readonly apiKey: Redacted.Redacted<string>
  /** `websocket` (the default), or `http` where sockets cannot be used: then nothing is pushed by the gateway. */
  readonly transport?: "websocket" | "http" | undefined
}

/** What the settings mean, with the defaults filled in. */
export const connectionOptions = (
  settings: CallSettings,
  apiKey: Redacted.Redacted<string>,
  gracePeriod: Duration.DurationInput = "5 seconds"
): ConnectionOptions => ({
  apiKey,
  clientName: settings.agentName ?? "kruxos",
  requestTimeoutMillis: Duration.toMillis(settings.requestTimeout ?? "30 seconds"),
  reconnect: settings.reconnect ?? defaultReconnect,
  heartbeat: Duration.decode(settings.heartbeat ?? "15 seconds"),
  maxInFlight: settings.maxInFlight ?? 10_000,
  sendQueueBytes: settings.sendQueueBytes ?? SendQueue.defaultBytes,
  gracePeriod: Duration.decode(settings.gracePeriod ?? gracePeriod)
})

const whyUnfit = (key: string): string | undefined => {
  if (key === "") return "The key is empty"
  return /^[\x20-\x7e]+$/.test(key)
    ? undefined
    : "The key has a character that no header can carry, such as the line break at the end of a file"
}

/** Reads where the gateway is, and warns once where its key would travel in the open. */
export const endpointOf = ({ apiKey, host = "localhost:7700" }: GatewayOptions) =>
  Effect.gen(function*() {
    const endpoint = yield* Endpoint.parse(host)
    const unfit = whyUnfit(Redacted.value(apiKey))
    if (unfit !== undefined) return yield* new AuthenticationFailed({ message: unfit, url: endpoint.socket })
    if (endpoint.exposed) {
      yield* Effect.logWarning(
        `The key for ${
          new URL(endpoint.socket).host
        } travels unencrypted: use wss:// or https:// for a host that is not this one`
      )
    }
    return endpoint
  })

/**
 * The options that `layerConfig` reads: `KRUXOS_HOST` (or `KRUXOS_ENDPOINT`), `KRUXOS_API_KEY` and `KRUXOS_AGENT_NAME`.
 */
export const config: Config.Config<GatewayOptions> = Config.all({
  host: Config.nonEmptyString("KRUXOS_HOST").pipe(
    Config.orElse(() => Config.nonEmptyString("KRUXOS_ENDPOINT")),
    Config.withDefault("localhost:7700")
  ),
  apiKey: Config.redacted(Config.nonEmptyString("KRUXOS_API_KEY")),
  agentName: Config.option(Config.nonEmptyString("KRUXOS_AGENT_NAME"))
}).pipe(
  Config.map(({ agentName, ...rest }) => ({ ...rest, agentName: Option.getOrUndefined(agentName) }))
)
