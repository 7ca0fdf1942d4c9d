import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
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

/** How many exports may be on their way at a time: what is more is dropped. */
const mostOnTheWay = 8

const longestAnswer = Duration.seconds(10)

// What a collector says of an export: that it has it, or in a few words why not.
const mostAnswerBytes = 65_536

const triesAgain = Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(3))

const passing = new Set([408, 429, 500, 502, 503, 504])

const isPassing = (error: HttpClientError.HttpClientError) =>
  error._tag === "RequestError" ? error.reason === "Transport" : passing.has(error.response.status)

// The exporter itself would try again for as long as a collector says, and keep all that comes meanwhile: of this it gives up at once.
const final = (request: HttpClientRequest.HttpClientRequest, description: string) =>
  new HttpClientError.RequestError({ request, reason: "Encode", description })

/**
 * A client for a collector that may be slow, or down: it holds little back, and says once that something is lost, and once more when
 * that is over.
 */
const patient = Effect.map(HttpClient.HttpClient, (client) => {
  // Addresses that refuse what they are sent, and origins that do not answer.
  const lost = new Set<string>()
  let onTheWay = 0

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

  return HttpClient.transform(client, (sending, request) => {
    const { origin } = new URL(request.url)
    const asked = sending.pipe(
      // An answer that is not read to its end keeps its connection.
      Effect.tap(({ text }) => Effect.ignore(HttpIncomingMessage.withMaxBodySize(text, Option.some(mostAnswerBytes)))),
      Effect.timeoutFail({
        duration: longestAnswer,
        onTimeout: () => final(request, `no answer within ${Duration.format(longestAnswer)}`)
      }),
      Effect.flatMap(HttpClientResponse.filterStatusOk)
    )
    const gaveUp = (error: HttpClientError.HttpClientError) =>
      Effect.zipRight(
        error._tag === "ResponseError"
          ? tellLost(request.url, `it answers ${error.response.status}`)
          : tellLost(origin, error.message),
        Effect.fail(final(request, error.message))
      )
    return Effect.suspend(() => {
      if (onTheWay >= mostOnTheWay) return gaveUp(final(request, "too much is on its way already"))
      onTheWay++
      return asked.pipe(
        Effect.retry({ schedule: triesAgain, while: isPassing }),
        Effect.catchAll(gaveUp),
        Effect.tap(() => Effect.zipRight(tellTaken(origin), tellTaken(request.url))),
        Effect.ensuring(Effect.sync(() => onTheWay--))
      )
    })
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
      Layer.provide(NodeHttpClient.layerWithoutAgent),
      Layer.provide(NodeHttpClient.makeAgentLayer({ keepAlive: true }))
    )
  }))
