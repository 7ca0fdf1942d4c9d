import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigError from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Capabilities, Gateway, type GatewayOptions } from "kruxos"
import { NodeGateway } from "kruxos/node"
import { inspect } from "node:util"
import { endpointOf } from "../../src/services/GatewayOptions.js"
import { until, within } from "../support/deadline.js"
import { at } from "../support/json.js"
import { withLogs } from "../support/logs.js"
import { closedPort, socketServer } from "../support/realServers.js"
import { initialized, requests } from "../support/scriptedGateway.js"

const key = "a-key-nobody-may-see-7f3a"

const serving = initialized(({ id, method, params }, server) => {
  if (method === "tools/call" && at(params, "name") === "filesystem__read") {
    server.answer(id, { content: [{ type: "text", text: "# Hello" }] })
  } else if (method === "tools/list") {
    server.answer(id, { tools: [{ name: "filesystem__read", description: "Reads", inputSchema: {} }] })
  } else if (method === "tools/call" && at(params, "name") === "filesystem__write") {
    server.close(1012, "restarting")
  }
})

const layer = (host: string, options: Partial<GatewayOptions> = {}) =>
  NodeGateway.layer({ host, apiKey: Redacted.make(key), ...options })

const refused = <A, E>(gateway: Layer.Layer<A, E>) => Effect.flip(Effect.scoped(Layer.build(gateway)))

const read = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.read", { path: "/workspace/README.md" }))

describe("NodeGateway over a real socket", () => {
  it.scopedLive("invokes, with the key in the header", () =>
    Effect.gen(function*() {
      const server = yield* socketServer(serving, { key })
      const file = yield* Effect.provide(read, layer(server.host, { agentName: "tester" }))
      assert.strictEqual(file.content, "# Hello")
      assert.deepStrictEqual(server.upgrades, [{ url: "/mcp", authorization: `Bearer ${key}` }])
      const [hello] = requests(server.connections[0], "initialize")
      assert.strictEqual(at(hello?.params, "clientInfo", "name"), "tester")
    }).pipe(within("an invocation")))

  it.scopedLive("tells its status, its session and its features, and hangs up with the scope", () =>
    Effect.gen(function*() {
      const server = yield* socketServer(serving, { key })
      const seen = yield* Effect.gen(function*() {
        const gateway = yield* Gateway
        assert.strictEqual((yield* gateway.features).size, 0)
        assert.strictEqual((yield* gateway.session).serverName, "kruxos-gateway")
        return yield* Stream.runHead(gateway.status)
      }).pipe(Effect.provide(layer(server.host)))
      assert.strictEqual(Option.getOrThrow(seen)._tag, "Connected")
      yield* until("the end of the connection", Effect.sync(() => server.connections.every((each) => each.isClosed())))
    }).pipe(within("the status")))

  it.scopedLive("connects again when its socket is cut, and the same program goes on", () =>
    Effect.gen(function*() {
      const server = yield* socketServer(serving, { key })
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* read).content, "# Hello")
        server.terminate()
        yield* until("the second connection", Effect.sync(() => server.connections.length === 2))
        assert.strictEqual((yield* read).content, "# Hello")
      }).pipe(Effect.provide(layer(server.host)))
    }).pipe(within("the second answer")))

  it.scopedLive("does not know the outcome of what was in flight", () =>
    Effect.gen(function*() {
      const server = yield* socketServer(serving, { key })
      const error = yield* Effect.flatMap(Capabilities, ({ invoke }) =>
        invoke("filesystem.write", { path: "a", content: "b" })).pipe(Effect.flip, Effect.provide(layer(server.host)))
      assert.strictEqual(error._tag, "OutcomeUnknown")
      assert.match(error.message, /code 1012: restarting/)
    }).pipe(within("the failure")))

  it.scopedLive("survives an answer that is too large for a frame", () =>
    Effect.gen(function*() {
      const large = JSON.stringify({
        jsonrpc: "2.0",
        method: "notifications/x",
        params: { x: "x".repeat(17 * 1024 * 1024) }
      })
      const server = yield* socketServer(initialized((_, connection) => connection.send(large)), { key })
      const error = yield* Effect.flip(read).pipe(Effect.provide(layer(server.host)))
      assert.strictEqual(error._tag, "ConnectionFailed")
      assert.isAtLeast(server.connections.length, 2)
    }).pipe(within("the failure", "15 seconds")))

  it.scopedLive("gives the configuration of an MCP client, hidden", () =>
    Effect.gen(function*() {
      const server = yield* socketServer(serving, { key })
      const { asMcpConfig } = yield* Effect.provide(Gateway, layer(server.host))
      const config = Option.getOrThrow(asMcpConfig)
      assert.deepStrictEqual(Redacted.value(config), {
        mcpServers: {
          kruxos: { url: `ws://${server.host}/mcp`, headers: { Authorization: `Bearer ${key}` } }
        }
      })
      assert.notInclude(`${inspect(config)} ${inspect(asMcpConfig, { depth: 10 })} ${JSON.stringify(asMcpConfig)}`, key)
    }).pipe(within("the configuration")))
})

describe("NodeGateway cannot connect", () => {
  it.scopedLive("with a key that is refused", () =>
    Effect.gen(function*() {
      for (const status of [401, 403]) {
        const server = yield* socketServer(serving, { refuseWith: () => status })
        const error = yield* refused(layer(server.host))
        assert.deepInclude(error, { _tag: "AuthenticationFailed", url: `ws://${server.host}/mcp` })
        assert.include(error.message, `${status}`)
      }
    }).pipe(within("the refusal")))

  it.scopedLive("to what is no gateway", () =>
    Effect.gen(function*() {
      for (const status of [301, 404, 503]) {
        const server = yield* socketServer(serving, { refuseWith: () => status })
        assert.deepInclude(yield* refused(layer(server.host)), { _tag: "ConnectionFailed", retryable: true })
      }
      const plain = yield* socketServer(() => {}, { refuseWith: () => undefined })
      const silent = yield* refused(layer(plain.host, { requestTimeout: "200 millis" }))
      assert.strictEqual(silent._tag, "ConnectionFailed")
      assert.match(silent.message, /did not answer initialize within 0.2 s/)
    }).pipe(within("the failure")))

  it.live("to nobody", () =>
    Effect.gen(function*() {
      const port = yield* closedPort
      const error = yield* refused(layer(`127.0.0.1:${port}`))
      assert.strictEqual(error._tag, "ConnectionFailed")
      assert.match(error.message, /ECONNREFUSED/)
      assert.match(String(error.cause), /ECONNREFUSED/)
    }).pipe(within("the failure")))

  it.live.each(
    [
      ["an empty key", { apiKey: Redacted.make("") }, "AuthenticationFailed", /empty/],
      [
        "a key with the line break of its file",
        { apiKey: Redacted.make(`${key}\n`) },
        "AuthenticationFailed",
        /line break/
      ],
      ["a host that is none", { host: "not a host" }, "ConnectionFailed", /neither a host/]
    ] as const
  )("with %s", ([, options, tag, message]) =>
    Effect.gen(function*() {
      const error = yield* refused(NodeGateway.layer({ apiKey: Redacted.make(key), ...options }))
      assert.strictEqual(error._tag, tag)
      assert.match(error.message, message)
      assert.notInclude(inspect(error), key)
    }).pipe(within("the failure")))
})

describe("layerConfig", () => {
  const configured = (values: ReadonlyArray<readonly [string, string]>) =>
    Layer.provide(NodeGateway.layerConfig, Layer.setConfigProvider(ConfigProvider.fromMap(new Map(values))))

  it.scopedLive.each(["KRUXOS_HOST", "KRUXOS_ENDPOINT"])(
    "reads %s, the key and the agent's name",
    (name) =>
      Effect.gen(function*() {
        const server = yield* socketServer(serving, { key })
        const gateway = configured([
          [name, `ws://${server.host}/`],
          ["KRUXOS_API_KEY", key],
          ["KRUXOS_AGENT_NAME", "from the environment"]
        ])
        yield* Effect.provide(read, gateway)
        assert.strictEqual(server.upgrades[0]?.url, "/")
        const [hello] = requests(server.connections[0], "initialize")
        assert.strictEqual(at(hello?.params, "clientInfo", "name"), "from the environment")
      }).pipe(within("an invocation"))
  )

  it.scopedLive("prefers KRUXOS_HOST, unless it is empty", () =>
    Effect.gen(function*() {
      const server = yield* socketServer(serving, { key })
      yield* Effect.provide(
        read,
        configured([["KRUXOS_HOST", server.host], ["KRUXOS_ENDPOINT", "nowhere.invalid"], ["KRUXOS_API_KEY", key]])
      )
      yield* Effect.provide(
        read,
        configured([["KRUXOS_HOST", ""], ["KRUXOS_ENDPOINT", server.host], ["KRUXOS_API_KEY", key]])
      )
      const [hello] = requests(server.connections[0], "initialize")
      assert.strictEqual(at(hello?.params, "clientInfo", "name"), "kruxos")
    }).pipe(within("an invocation")))

  it.live("fails with ConfigError where the key is missing or empty", () =>
    Effect.gen(function*() {
      for (const values of [[], [["KRUXOS_API_KEY", ""]] as const]) {
        const error = yield* refused(configured([["KRUXOS_HOST", "localhost:1"], ...values]))
        assert.isTrue(ConfigError.isConfigError(error))
        assert.include(inspect(error), "KRUXOS_API_KEY")
      }
    }).pipe(within("the failure")))
})

describe("a key over an open network", () => {
  const warnings = (host: string) =>
    withLogs((logs) => Effect.as(Effect.scoped(endpointOf({ host, apiKey: Redacted.make(key) })), logs))

  it.effect.each(["192.168.1.7:7700", "ws://gateway.example/mcp", "http://gateway.example", "127.evil.example"])(
    "is warned of once: %s",
    (host) =>
      Effect.gen(function*() {
        const logs = yield* warnings(host)
        assert.strictEqual(logs.length, 1)
        assert.match(logs[0] ?? "", /^WARN .*travels unencrypted/s)
        assert.notInclude(logs.join(), key)
      })
  )

  it.effect.each([
    "localhost:7700",
    "127.0.0.1:7700",
    "[::1]:7700",
    "wss://gateway.example",
    "https://gateway.example"
  ])(
    "is none: %s",
    (host) => Effect.map(warnings(host), (logs) => assert.deepStrictEqual(logs, []))
  )
})

it.scopedLive("the key is in no error, no log and nothing that is shown", () =>
  withLogs((logs) =>
    Effect.gen(function*() {
      const server = yield* socketServer(serving, { key })
      const refusing = yield* socketServer(serving, { refuseWith: () => 401 })
      const port = yield* closedPort
      const shown: Array<string> = []
      const show = (value: unknown) => {
        shown.push(String(value), inspect(value, { depth: 20, showHidden: true }), JSON.stringify(value))
      }
      for (const host of [refusing.host, `127.0.0.1:${port}`, "no host", `user:${key}@host`]) {
        for (const transport of ["websocket", "http"] as const) {
          const exit = yield* Effect.exit(Effect.scoped(Layer.build(layer(host, { transport }))))
          assert.isTrue(Exit.isFailure(exit))
          show(exit)
          if (Exit.isFailure(exit)) {
            shown.push(Cause.pretty(exit.cause, { renderErrorCause: true }))
            yield* Effect.logError("cannot connect", exit.cause)
          }
        }
      }
      yield* Effect.gen(function*() {
        show(yield* Gateway)
        show(yield* Capabilities)
        show(
          yield* Effect.exit(
            Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.write", { path: "a", content: "" }))
          )
        )
        yield* Effect.logDebug("gateway", yield* Gateway)
      }).pipe(Effect.withSpan("program"), Effect.provide(layer(server.host)))
      assert.isAbove(logs.length, 5)
      assert.notInclude([...shown, ...logs].join("\n"), key)
    }).pipe(within("all failures", "15 seconds"))
  ))
