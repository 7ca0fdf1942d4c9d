import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Capabilities, Gateway, type GatewayOptions } from "kruxos"
import { inspect } from "node:util"
import * as ws from "ws"
import { until, within } from "../support/deadline.js"
import { closedPort, socketServer } from "../support/realServers.js"
import { initialized } from "../support/scriptedGateway.js"

const key = "a key with spaces & signs / ä"

const serving = initialized(({ id, method }, server) => {
  if (method === "tools/call") server.answer(id, { content: [{ type: "text", text: "# Hello" }] })
})

/** Puts a WebSocket into the place of the platform's as long as the scope lasts. */
const withGlobal = (implementation: unknown): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.getOwnPropertyDescriptor(globalThis, "WebSocket")
      Object.defineProperty(globalThis, "WebSocket", { value: implementation, configurable: true, writable: true })
      return before
    }),
    (before) =>
      Effect.sync(() => {
        Reflect.deleteProperty(globalThis, "WebSocket")
        if (before !== undefined) Object.defineProperty(globalThis, "WebSocket", before)
      })
  ).pipe(Effect.asVoid)

const printable = "a-key-nobody-may-see/+=&?#"

const layer = (host: string, options: Partial<GatewayOptions> = {}) =>
  Gateway.layer({ host, apiKey: Redacted.make(printable), ...options })

const read = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.read", { path: "a" }))

const refused = <A, E>(gateway: Layer.Layer<A, E>) => Effect.flip(Effect.scoped(Layer.build(gateway)))

const answer401: Parameters<typeof socketServer>[1] = { refuseWith: () => 401 }

describe("the platform's WebSocket", () => {
  it.scopedLive("is given the key in the query, whatever its characters", () =>
    Effect.gen(function*() {
      yield* withGlobal(ws.WebSocket)
      const server = yield* socketServer(serving, { key: printable })
      for (const path of ["/mcp", "/mcp?tenant=1"]) {
        assert.strictEqual((yield* Effect.provide(read, layer(`ws://${server.host}${path}`))).content, "# Hello")
      }
      const [plain, tenant] = server.upgrades.map(({ url }) => new URL(url, "http://localhost").searchParams)
      assert.strictEqual(plain?.get("token"), printable)
      assert.strictEqual(tenant?.get("token"), printable)
      assert.strictEqual(tenant?.get("tenant"), "1")
      assert.isTrue(server.upgrades.every(({ authorization }) => authorization === undefined))
      yield* until("the end of the connections", Effect.sync(() => server.connections.every((each) => each.isClosed())))
    }).pipe(within("the answers")))

  it.scopedLive("finds out by a request whether the key is refused", () =>
    Effect.gen(function*() {
      yield* withGlobal(ws.WebSocket)
      const server = yield* socketServer(serving, answer401)
      const error = yield* refused(layer(server.host))
      assert.deepInclude(error, {
        _tag: "AuthenticationFailed",
        message: "The gateway refused the key (HTTP 401)",
        url: `ws://${server.host}/mcp`
      })
    }).pipe(within("the refusal")))

  it.scopedLive("tells a gateway that does not want a WebSocket from one that is not there", () =>
    Effect.gen(function*() {
      yield* withGlobal(ws.WebSocket)
      const server = yield* socketServer(serving, {
        refuseWith: () => 500,
        onRequest: (_, response) => response.writeHead(200).end("[]")
      })
      const unwilling = yield* refused(layer(server.host))
      assert.deepInclude(unwilling, {
        _tag: "ConnectionFailed",
        message: "The gateway did not accept a WebSocket (close code 1006)"
      })
      const port = yield* closedPort
      const absent = yield* refused(layer(`127.0.0.1:${port}`))
      assert.deepInclude(absent, { _tag: "ConnectionFailed", message: "The gateway cannot be reached" })
    }).pipe(within("the failures")))

  it.scopedLive("connects again after it was cut, until the key is refused", () =>
    Effect.gen(function*() {
      yield* withGlobal(ws.WebSocket)
      let revoked = false
      const server = yield* socketServer(serving, { refuseWith: () => revoked ? 401 : undefined })
      yield* Effect.gen(function*() {
        server.terminate()
        yield* until("the second connection", Effect.sync(() => server.connections.length === 2))
        assert.strictEqual((yield* read).content, "# Hello")
        revoked = true
        server.terminate()
        yield* until("the refusal", Effect.sync(() => server.upgrades.length === 3))
        assert.strictEqual((yield* Effect.flip(read))._tag, "AuthenticationFailed")
      }).pipe(Effect.provide(layer(server.host, { requestTimeout: "3 seconds" })))
    }).pipe(within("the refusal")))

  it.scopedLive("is not closed normally, which would end the session, where the gateway gives no sign of life", () =>
    Effect.gen(function*() {
      const codes: Array<number | undefined> = []
      yield* withGlobal(
        class extends ws.WebSocket {
          override close(code?: number, reason?: string) {
            if (this.readyState === this.OPEN) codes.push(code)
            super.close(code, reason)
          }
        }
      )
      const server = yield* socketServer(serving, { key: printable })
      yield* Effect.provide(read, layer(server.host))
      assert.deepStrictEqual(codes, [1000])
      yield* until("the second connection", Effect.sync(() => server.connections.length > 2)).pipe(
        Effect.provide(layer(server.host, { heartbeat: "100 millis" }))
      )
      assert.strictEqual(codes[1], 4006)
    }).pipe(within("the second connection")))

  it.scopedLive("does not answer: that is a failure within the request timeout", () =>
    Effect.gen(function*() {
      yield* withGlobal(ws.WebSocket)
      const server = yield* socketServer(() => {}, { refuseWith: () => undefined })
      const error = yield* refused(layer(server.host, { requestTimeout: "100 millis" }))
      assert.strictEqual(error._tag, "ConnectionFailed")
    }).pipe(within("the failure")))

  it.scopedLive("is missing", () =>
    Effect.gen(function*() {
      yield* withGlobal(undefined)
      const error = yield* refused(layer("localhost:1"))
      assert.deepInclude(error, { _tag: "ConnectionFailed", retryable: false })
      assert.match(error.message, /has no WebSocket/)
    }).pipe(within("the failure")))

  it.scopedLive("refuses the URL and repeats it: the key is not repeated", () =>
    Effect.gen(function*() {
      yield* withGlobal(function(url: unknown) {
        throw new SyntaxError(`Failed to construct 'WebSocket': The URL '${String(url)}' is not allowed`)
      })
      const error = yield* refused(layer("localhost:1"))
      assert.deepInclude(error, { _tag: "ConnectionFailed", retryable: false })
      assert.notInclude(`${inspect(error, { depth: 10 })} ${JSON.stringify(error)}`, "a-key-nobody")
    }).pipe(within("the failure")))

  it.live("is not asked for with a key that no request could carry", () =>
    Effect.map(refused(Gateway.layer({ host: "localhost:1", apiKey: Redacted.make(key) })), (error) => {
      assert.strictEqual(error._tag, "AuthenticationFailed")
    }).pipe(within("the failure")))

  it.scopedLive("is not needed over HTTP", () =>
    Effect.gen(function*() {
      yield* withGlobal(undefined)
      const server = yield* socketServer(serving, answer401)
      const error = yield* refused(layer(`http://${server.host}`, { transport: "http" }))
      assert.strictEqual(error._tag, "AuthenticationFailed")
    }).pipe(within("the refusal")))
})
