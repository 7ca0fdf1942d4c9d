import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Capabilities } from "kruxos"
import { NodeGateway } from "kruxos/node"
import type { IncomingHttpHeaders, ServerResponse } from "node:http"
import { createServer } from "node:http"
import * as CollectingTracer from "../support/collectingTracer.js"
import { until } from "../support/deadline.js"
import { at } from "../support/json.js"
import { folders, type GatewayProcess, kruxos, startGateway, takenPort } from "./kruxos.js"

interface Received {
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

interface Collector {
  readonly url: string
  readonly received: ReadonlyArray<Received>
  /** How many connections it was asked for. */
  readonly connections: () => number
  readonly close: () => void
}

/** A collector of OTLP on a free port of this machine, with the given answer to all. */
const collectorThat = (answer: (response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.async<Collector>(
      (resume) => {
        const received: Array<Received> = []
        let connections = 0
        const server = createServer((request, response) => {
          let text = ""
          request.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk
          }).on("end", () => {
            received.push({ path: request.url, headers: request.headers, body: JSON.parse(text) })
            answer(response)
          })
        })
        server.on("connection", () => {
          connections++
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          const close = () => {
            server.close()
            server.closeAllConnections()
          }
          resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, received, connections: () => connections, close }))
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  )

const collector = collectorThat((response) => response.setHeader("content-type", "application/json").end("{}"))

const list = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

/** What a body has at a path of lists, such as the spans of all scopes of all resources. */
const within = (body: unknown, ...path: ReadonlyArray<string>): ReadonlyArray<unknown> =>
  path.reduce<ReadonlyArray<unknown>>((values, name) => values.flatMap((value) => list(at(value, name))), [body])

const ofPath = (received: ReadonlyArray<Received>, path: string) => received.filter((one) => one.path === path)

const spansIn = (received: ReadonlyArray<Received>) =>
  ofPath(received, "/v1/traces").flatMap(({ body }) => within(body, "resourceSpans", "scopeSpans", "spans"))

const metricsIn = (received: ReadonlyArray<Received>) =>
  ofPath(received, "/v1/metrics").flatMap(({ body }) => within(body, "resourceMetrics", "scopeMetrics", "metrics"))

const logsIn = (received: ReadonlyArray<Received>) =>
  ofPath(received, "/v1/logs").flatMap(({ body }) => within(body, "resourceLogs", "scopeLogs", "logRecords"))

const invoke = ({ ready }: GatewayProcess) =>
  Effect.flatMap(Capabilities, (capabilities) => capabilities.invoke("state.session.list", {})).pipe(
    Effect.provide(
      NodeGateway.layer({ host: ready.url, apiKey: Redacted.make(ready.api_key) })
    )
  )

const warnings = ({ stderr }: GatewayProcess) => stderr().split("\n").filter((line) => line.includes(" WARN "))

describe("kruxos gateway --otlp", () => {
  it.scopedLive("exports spans of the client's trace, metrics and logs, with the headers of the environment", () =>
    Effect.gen(function*() {
      const { received, url } = yield* collector
      const gateway = yield* startGateway(["--otlp", url], undefined, {
        env: { OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20a-secret,x-tenant=one" }
      })
      const collected = CollectingTracer.make()
      yield* Effect.withTracer(invoke(gateway), collected.tracer)
      const [client] = collected.named("kruxos.invoke")
      yield* until("the spans", Effect.sync(() => spansIn(received).length >= 3))
      const spans = spansIn(received)
      assert.deepStrictEqual(
        new Set(spans.map((span) => at(span, "name"))),
        new Set(["kruxos.gateway.invoke", "kruxos.policy", "kruxos.handler"])
      )
      for (const span of spans) assert.strictEqual(at(span, "traceId"), client?.traceId)
      const own = spans.find((span) => at(span, "name") === "kruxos.gateway.invoke")
      assert.strictEqual(at(own, "parentSpanId"), client?.spanId)

      yield* gateway.kill("SIGTERM")
      const { code, stderr, stdout } = yield* gateway.ended
      assert.strictEqual(code, 0)
      const metrics = metricsIn(received).map((metric) => at(metric, "name"))
      for (
        const name of [
          "kruxos_gateway_invocations_total",
          "kruxos_gateway_invocation_duration",
          "kruxos_gateway_invocations_in_flight",
          "kruxos_gateway_bytes_received_total",
          "kruxos_gateway_bytes_sent_total"
        ]
      ) assert.include(metrics, name)
      assert.isAbove(logsIn(received).length, 0)
      for (const { headers } of received) {
        assert.strictEqual(headers.authorization, "Bearer a-secret")
        assert.strictEqual(headers["x-tenant"], "one")
      }
      assert.notInclude(stderr + stdout, "a-secret")
      assert.notInclude(JSON.stringify(received.map(({ body }) => body)), gateway.ready.supervisor_token)
      assert.notInclude(JSON.stringify(received.map(({ body }) => body)), gateway.ready.api_key)
    }))

  it.scopedLive("serves, and says so once, where no collector is there", () =>
    Effect.gen(function*() {
      const { close, url } = yield* collector
      close()
      const gateway = yield* startGateway(["--otlp", url])
      yield* invoke(gateway)
      yield* until("the warning", Effect.sync(() => warnings(gateway).length > 0))
      // Traces, metrics and logs are lost by then.
      yield* Effect.repeatN(invoke(gateway), 3)
      yield* gateway.kill("SIGTERM")
      const { code, stderr } = yield* gateway.ended
      assert.strictEqual(code, 0)
      assert.strictEqual(warnings(gateway).length, 1, stderr)
      assert.include(warnings(gateway)[0], url)
    }))

  const stopped = (gateway: GatewayProcess) =>
    Effect.gen(function*() {
      const [time, { code }] = yield* Effect.timed(Effect.zipRight(gateway.kill("SIGTERM"), gateway.ended))
      assert.strictEqual(code, 0)
      assert.isBelow(Duration.toSeconds(time), 6)
    })

  it.scopedLive("serves and stops where the collector takes connections and never answers", () =>
    Effect.gen(function*() {
      const { port } = yield* takenPort
      const gateway = yield* startGateway(["--otlp", `http://127.0.0.1:${port}`])
      yield* Effect.repeatN(invoke(gateway), 3)
      yield* stopped(gateway)
    }))

  it.scopedLive.each(
    [
      ["begins an answer and never ends it", (response: ServerResponse) => response.writeHead(200).write("{")],
      ["answers without an end", (response: ServerResponse) => {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536, " ")));
        }
        response.on("drain", more)
        more()
      }],
      [
        "asks to wait for years",
        (response: ServerResponse) => response.writeHead(429, { "retry-after": "99999999" }).end()
      ]
    ] as const
  )("serves and stops where the collector %s", ([, answer]) =>
    Effect.gen(function*() {
      const { received, url } = yield* collectorThat(answer)
      const gateway = yield* startGateway(["--otlp", url])
      yield* invoke(gateway)
      yield* until("what is exported", Effect.sync(() => ofPath(received, "/v1/traces").length > 0))
      yield* invoke(gateway)
      yield* stopped(gateway)
    }))

  it.scopedLive("says so where the collector asks to wait, and does not wait for years", () =>
    Effect.gen(function*() {
      const { received, url } = yield* collectorThat((response) =>
        response.writeHead(429, { "retry-after": "99999999" }).end()
      )
      const gateway = yield* startGateway(["--otlp", url])
      yield* invoke(gateway)
      yield* until("the warnings", Effect.sync(() => warnings(gateway).length >= 2), "10 seconds")
      assert.include(gateway.stderr(), "it answers 429")
      // It has tried again, a few times.
      assert.isAbove(ofPath(received, "/v1/traces").length, 1)
    }))

  it.scopedLive("goes on using the connections that it has", () =>
    Effect.gen(function*() {
      const { connections, received, url } = yield* collector
      const gateway = yield* startGateway(["--otlp", url])
      for (let batch = 1; batch <= 5; batch++) {
        yield* invoke(gateway)
        yield* until("the next spans", Effect.sync(() => ofPath(received, "/v1/traces").length >= batch))
      }
      // Traces and logs have one each, and metrics would have one.
      assert.isAtMost(connections(), 3)
    }))

  it.scopedLive("says what to install where the exporter is not there", () =>
    Effect.gen(function*() {
      const { dataDirectory, workspace } = yield* folders
      const hooks = `export const resolve = (name, context, next) => {
        if (!name.startsWith("@effect/opentelemetry")) return next(name, context)
        throw Object.assign(new Error("Cannot find package '@effect/opentelemetry'"), { code: "ERR_MODULE_NOT_FOUND" })
      }`
      const hiding = `import { register } from "node:module"; register(${
        JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)
      })`
      const args = [
        "gateway",
        "--workspace",
        workspace,
        "--data",
        dataDirectory,
        "--port",
        "0",
        "--otlp",
        "http://127.0.0.1:1"
      ]
      const { code, stderr, stdout } = yield* kruxos(args, {
        uncompiled: true,
        env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hiding)}` }
      })
      assert.deepStrictEqual([code, stdout], [1, ""])
      assert.match(stderr, /^[^\n]*npm install @effect\/opentelemetry[^\n]*\n$/)
    }))

  it.scopedLive("refuses an address and headers that it cannot read, and shows none", () =>
    Effect.gen(function*() {
      const { dataDirectory, workspace } = yield* folders
      const args = ["gateway", "--workspace", workspace, "--data", dataDirectory, "--port", "0", "--otlp"]
      const wrong = yield* kruxos([...args, "localhost:4318"])
      assert.strictEqual(wrong.code, 2)
      assert.include(wrong.stderr, "--otlp takes an http or https URL")
      for (const headers of ["a-secret", "a b=a-secret", "name=a-secret%zz", "name=a-secret%0d%0a"]) {
        const { code, stderr, stdout } = yield* kruxos([...args, "http://127.0.0.1:1"], {
          env: { OTEL_EXPORTER_OTLP_HEADERS: headers }
        })
        assert.strictEqual(code, 1, headers)
        assert.match(stderr, /^[^\n]*OTEL_EXPORTER_OTLP_HEADERS[^\n]+\n$/)
        assert.notInclude(stderr + stdout, "a-secret")
      }
    }))
})
