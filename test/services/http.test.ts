import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Capabilities, Gateway } from "kruxos"
import type { ServerResponse } from "node:http"
import { until, within } from "../support/deadline.js"
import { at } from "../support/json.js"
import { withLogs } from "../support/logs.js"
import { closedPort, rpcServer } from "../support/realServers.js"
import { answering, gateway, key, layer, methods, path, refused, session, stat, success, write } from "./httpSupport.js"

describe("HTTP", () => {
  it.scopedLive("starts a session, invokes in it, and ends it", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(gateway(() => success({ exists: true })))
      const [found, made, features] = yield* Effect.gen(function*() {
        const { features, session } = yield* Gateway
        return [yield* stat, yield* session, yield* features] as const
      }).pipe(Effect.provide(layer(server)))
      assert.isTrue(found.exists)
      assert.deepInclude(made, { id: "s-1", agent: "agent" })
      assert.deepStrictEqual([...features].toSorted(), ["approvals", "native"])
      assert.deepStrictEqual(methods(server), ["session.create", "capabilities.invoke", "session.end"])
      assert.deepStrictEqual(at(JSON.parse(server.requests[1]?.text ?? ""), "params"), {
        capability: "filesystem.stat",
        arguments: { path },
        session_id: "s-1"
      })
      assert.isTrue(server.requests.every(({ authorization }) => authorization === `Bearer ${key}`))
    }).pipe(within("an invocation")))

  it.scopedLive("lists and describes, and says what it does not know", () =>
    Effect.gen(function*() {
      const definition = { name: "filesystem.stat", policy_tier: "notify", purpose: "p" }
      const server = yield* rpcServer(answering((method, params) => {
        if (method === "session.create") return session()
        if (method === "capabilities.list") return { result: { capabilities: [definition, { purpose: "nameless" }] } }
        return at(params, "name") === "filesystem.stat"
          ? { result: definition }
          : { error: { code: -32602, message: "There is no such capability" } }
      }))
      yield* withLogs((logs) =>
        Effect.gen(function*() {
          const { describe, list } = yield* Capabilities
          assert.deepStrictEqual(
            (yield* list({ tag: "safe" })).map(({ name, permissionTier }) => [name, permissionTier]),
            [
              ["filesystem.stat", "notify"]
            ]
          )
          assert.strictEqual((yield* describe("filesystem.stat")).purpose, "p")
          assert.deepInclude(yield* Effect.flip(describe("filesystem.fly")), {
            _tag: "CapabilityNotFound",
            message: "There is no such capability",
            capability: "filesystem.fly"
          })
          assert.strictEqual(logs.filter((log) => log.includes("1 capabilities are left out")).length, 1)
        }).pipe(Effect.provide(layer(server)))
      )
    }).pipe(within("a definition")))

  it.scopedLive("does not blame the name where the gateway cannot describe anything now", () =>
    Effect.gen(function*() {
      const failures: ReadonlyArray<readonly [object, string]> = [
        [{ code: -32000, message: "slow" }, "RateLimited"],
        [{ code: -32603, message: "m", data: { type: "SessionPaused", message: "paused" } }, "ProtocolError"],
        [{ code: -32603, message: "broken" }, "ProtocolError"]
      ]
      for (const [error, tag] of failures) {
        const server = yield* rpcServer(answering((method) => method === "session.create" ? session() : { error }))
        const failure = yield* Effect.flatMap(Capabilities, ({ describe }) => Effect.flip(describe("filesystem.stat")))
          .pipe(
            Effect.provide(layer(server))
          )
        assert.strictEqual(failure._tag, tag)
      }
    }).pipe(within("the failures")))

  it.scopedLive("makes a new session when the old one has expired, and the call goes on in it", () =>
    Effect.gen(function*() {
      let sessions = 0
      const server = yield* rpcServer(answering((method, params) => {
        if (method === "session.create") return session(`s-${++sessions}`)
        return at(params, "session_id") === "s-1"
          ? { error: { code: -32603, message: "over", data: { type: "SessionExpired", message: "over" } } }
          : success({ path, size: 0, checksum: "0".repeat(64) })
      }))
      yield* Effect.gen(function*() {
        const results = yield* Effect.all([write, write, write], { concurrency: "unbounded" })
        assert.strictEqual(results.length, 3)
        assert.strictEqual((yield* (yield* Gateway).session).id, "s-2")
      }).pipe(Effect.provide(layer(server)))
      assert.strictEqual(sessions, 2)
    }).pipe(within("the answers")))

  it.scopedLive("does so once, and then says so", () =>
    Effect.gen(function*() {
      const expired = { error: { code: -32603, message: "over", data: { type: "SessionExpired", message: "over" } } }
      const server = yield* rpcServer(answering((method) => method === "session.create" ? session() : expired))
      assert.strictEqual((yield* Effect.flip(write).pipe(Effect.provide(layer(server))))._tag, "SessionExpired")
      assert.strictEqual(methods(server).filter((method) => method === "session.create").length, 2)
    }).pipe(within("the failure")))
})

describe("HTTP fails", () => {
  it.scopedLive("with a refused key, from the start or in between", () =>
    Effect.gen(function*() {
      const refusing = yield* rpcServer((_, response) => response.writeHead(401).end("no"))
      assert.strictEqual((yield* refused(layer(refusing)))._tag, "AuthenticationFailed")
      const coded = yield* rpcServer(answering(() => ({ error: { code: -32003, message: "bad key" } })))
      assert.strictEqual((yield* refused(layer(coded)))._tag, "AuthenticationFailed")

      let revoked = false
      const server = yield* rpcServer((text, response) => {
        if (revoked) response.writeHead(401).end()
        else gateway(() => success({ exists: true }))(text, response)
      })
      yield* Effect.gen(function*() {
        const status = yield* Effect.fork(Stream.runCollect((yield* Gateway).status))
        assert.isTrue((yield* stat).exists)
        revoked = true
        assert.strictEqual((yield* Effect.flip(write))._tag, "AuthenticationFailed")
        const before = server.requests.length
        assert.strictEqual((yield* Effect.flip(stat))._tag, "AuthenticationFailed")
        assert.strictEqual(server.requests.length, before)
        assert.deepStrictEqual([...yield* Fiber.join(status)].at(-1)?._tag, "Closed")
      }).pipe(Effect.provide(layer(server)))
    }).pipe(within("the refusals")))

  it.scopedLive("for good when the key is refused for a new session", () =>
    Effect.gen(function*() {
      let sessions = 0
      const server = yield* rpcServer((text, response) => {
        if (text.includes("session.create") && ++sessions > 1) return void response.writeHead(403).end()
        const expired = { error: { code: -32603, message: "over", data: { type: "SessionExpired", message: "over" } } }
        answering((method) => method === "session.create" ? session() : expired)(text, response)
      })
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(stat))._tag, "AuthenticationFailed")
        assert.strictEqual((yield* Effect.flip(stat))._tag, "AuthenticationFailed")
        assert.strictEqual(sessions, 2)
      }).pipe(Effect.provide(layer(server)))
    }).pipe(within("the refusals")))

  it.live("with nobody there", () =>
    Effect.gen(function*() {
      const port = yield* closedPort
      assert.strictEqual((yield* refused(layer({ host: `http://127.0.0.1:${port}` })))._tag, "ConnectionFailed")
    }).pipe(within("the failure")))

  it.live("to send when the gateway has gone, whatever the call is", () =>
    Effect.gen(function*() {
      const servers = yield* Scope.make()
      const server = yield* Scope.extend(rpcServer(gateway(() => success({}))), servers)
      yield* Effect.gen(function*() {
        yield* Scope.close(servers, Exit.void)
        assert.strictEqual((yield* Effect.flip(write))._tag, "ConnectionFailed")
      }).pipe(Effect.provide(layer(server)))
    }).pipe(within("the failure")))

  it.scopedLive.each(
    [
      ["no JSON", "<html>Bad Gateway</html>", 502],
      ["nothing", "", 200],
      ["another form", "{\"session_id\": \"s\"}", 200],
      ["a session without an id", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", 200],
      ["a list of nothing", "[]", 200]
    ] as const
  )("to start where the answer is %s", ([, body, status]) =>
    Effect.gen(function*() {
      const server = yield* rpcServer((_, response) => response.writeHead(status).end(body))
      const error = yield* refused(layer(server))
      assert.strictEqual(error._tag, "ConnectionFailed")
      if (status === 502) assert.include(error.message, "HTTP 502")
    }).pipe(within("the failure")))

  it.scopedLive.each(
    [
      ["is no JSON", (response: ServerResponse) => response.end("<html>")],
      ["is cut off", (response: ServerResponse) => {
        response.writeHead(200, { "content-length": "1000" })
        response.write("{\"jsonrpc\":")
        setImmediate(() => response.destroy())
      }],
      ["never begins", (response: ServerResponse) => response.destroy()]
    ] as const
  )("with an answer that %s: unknown, or asked for once more", ([, spoil]) =>
    Effect.gen(function*() {
      const server = yield* rpcServer((text, response) => {
        if (text.includes("capabilities.invoke")) spoil(response)
        else gateway(() => success({}))(text, response)
      })
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(write))._tag, "OutcomeUnknown")
        assert.strictEqual((yield* Effect.flip(stat))._tag, "ConnectionFailed")
      }).pipe(Effect.provide(layer(server)))
      assert.strictEqual(methods(server).filter((method) => method === "capabilities.invoke").length, 3)
    }).pipe(within("the failures")))

  it.scopedLive("at the deadline, and gives up the request", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(gateway(() => "silence"))
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(stat))._tag, "GatewayTimeout")
        assert.strictEqual((yield* Effect.flip(write))._tag, "OutcomeUnknown")
      }).pipe(Effect.provide(layer(server, { requestTimeout: "1 second" })))
      yield* until("the end of both requests", Effect.sync(() => server.aborted() === 2))
    }).pipe(within("the failures")))

  it.scopedLive("to wait longer than a moment for the end of a session", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(answering((method) => method === "session.create" ? session() : "silence"))
      yield* Effect.provide(Gateway, layer(server))
      assert.deepStrictEqual(methods(server), ["session.create", "session.end"])
    }).pipe(within("the end", "4 seconds")))
})

describe("HTTP when it ends", () => {
  it.scopedLive("gives up a request whose caller gives up", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(gateway(() => "silence"))
      yield* Effect.gen(function*() {
        const fiber = yield* Effect.fork(write)
        yield* until("the request", Effect.sync(() => server.requests.length === 2))
        yield* Fiber.interrupt(fiber)
        yield* until("its end", Effect.sync(() => server.aborted() === 1))
      }).pipe(Effect.provide(layer(server)))
    }).pipe(within("the end")))

  it.live("makes no session after its scope has closed", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* rpcServer(gateway(() => success({ exists: true })))
      const scope = yield* Scope.make()
      const context = yield* Scope.extend(Layer.build(layer(server)), scope)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Effect.flip(Effect.provide(stat, context)))._tag, "ConnectionFailed")
      assert.deepStrictEqual(methods(server), ["session.create", "session.end"])
    })).pipe(within("the failure")))

  it.live("says goodbye when its program is interrupted", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* rpcServer(gateway(() => "silence"))
      const connected = yield* Deferred.make<void>()
      const program = Effect.zipRight(Effect.zipRight(Gateway, Deferred.succeed(connected, undefined)), Effect.never)
      const fiber = yield* Effect.fork(Effect.provide(program, layer(server)))
      yield* Deferred.await(connected)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(methods(server), ["session.create", "session.end"])
    })).pipe(within("the end")))
})
