import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { packageVersion } from "../connection/Options.js"
import { type CommandFailed, failed } from "./exit.js"
import { oneLine } from "./text.js"

/** `name=value,name=value`, as OpenTelemetry has it: sent along with each request to the collector. */
const headers = Config.option(Config.redacted("OTEL_EXPORTER_OTLP_HEADERS"))

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const malformedHeaders = failed(
  "OTEL_EXPORTER_OTLP_HEADERS is not a list such as authorization=Bearer%20key,name=value"
)

const isName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

const isValue = /^[\t\x20-\x7e]*$/

const readHeaders = (text: string): Effect.Effect<{ readonly [name: string]: string }, CommandFailed> => {
  const read: Record<string, string> = {}
  for (const pair of text.split(",").filter((part) => part.trim() !== "")) {
    const [, name, given] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? []
    const value = given === undefined ? undefined : decoded(given)
    if (name === undefined || value === undefined || !isName.test(name) || !isValue.test(value)) {
      return Effect.fail(malformedHeaders)
    }
    read[name] = value
  }
  return Effect.succeed(read)
}

/** How many requests to the collector may be unanswered at a time: what is more is dropped. */
const mostUnanswered = 8

const longestAnswer = Duration.seconds(10)

// The exporter tries again what failed on the way, and gives up at once where that is of no use.
const dropped = (request: HttpClientRequest.HttpClientRequest) =>
  new HttpClientError.RequestError({ request, reason: "Encode", description: "too much is on its way already" })

const unanswered = (request: HttpClientRequest.HttpClientRequest) =>
  new HttpClientError.RequestError({
    request,
    reason: "Encode",
    description: `no answer within ${Duration.format(longestAnswer)}`
  })

/**
 * A client for a collector that may be slow, or down: it holds little back, and says once that something is lost, and once more when
 * that is over.
 */
const patient = Effect.map(HttpClient.HttpClient, (client) => {
  // Addresses that refuse what they are sent, and origins that do not answer.
  const lost = new Set<string>()
  let running = 0

  const tellLost = (what: string, reason: string) =>
    Effect.suspend(() => {
      if (lost.has(what)) return Effect.void
      lost.add(what)
      return Effect.logWarning(
        oneLine(`${what} does not take what is exported, which is lost until it does (${reason}); the gateway goes on`)
      )
    })

  const tellTaken = (what: string) =>
    Effect.suspend(() => lost.delete(what) ? Effect.logInfo(`${what} takes what is exported again`) : Effect.void)

  return HttpClient.transform(client, (effect, request) => {
    const { origin } = new URL(request.url)
    return Effect.suspend(() => {
      if (running >= mostUnanswered) return Effect.fail(dropped(request))
      running++
      return effect.pipe(
        Effect.timeoutFail({ duration: longestAnswer, onTimeout: () => unanswered(request) }),
        Effect.ensuring(Effect.sync(() => running--))
      )
    }).pipe(
      Effect.tapBoth({
        onFailure: (error) => tellLost(origin, error.message),
        onSuccess: ({ status }) =>
          Effect.zipRight(
            tellTaken(origin),
            status >= 400 ? tellLost(request.url, `it answers ${status}`) : tellTaken(request.url)
          )
      })
    )
  })
})

const missing = (cause: unknown) =>
  failed(oneLine(
    `--otlp needs a package that cannot be loaded: run \`npm install @effect/opentelemetry\` `
      + `(${cause instanceof Error ? cause.message : String(cause)})`
  ))

/**
 * Exports what is traced, counted and logged by OTLP over HTTP, to a collector such as `http://localhost:4318`. Fails where the
 * package for it is not installed, or the headers of the environment cannot be read.
 */
export const layer = (url: string): Layer.Layer<never, CommandFailed> =>
  Layer.unwrapEffect(Effect.gen(function*() {
    const Otlp = yield* Effect.tryPromise({ try: () => import("@effect/opentelemetry/Otlp"), catch: missing })
    const given = yield* Effect.mapError(headers, () => malformedHeaders)
    return Otlp.layerJson({
      baseUrl: url,
      resource: { serviceName: "kruxos-gateway", serviceVersion: packageVersion },
      headers: yield* readHeaders(Option.match(given, { onNone: () => "", onSome: Redacted.value })),
      tracerExportInterval: Duration.seconds(1),
      shutdownTimeout: Duration.seconds(1)
    }).pipe(
      Layer.provide(Layer.effect(HttpClient.HttpClient, patient)),
      Layer.provide(NodeHttpClient.layer)
    )
  }))
