import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { packageVersion } from "../../../src/connection/Options.js"
import { Sessions as SessionRecords } from "../../../src/local/store/Sessions.js"
import * as TestGateway from "../../support/gateway.js"
import { at, listAt } from "../../support/json.js"
import { connect, initialized, initializeParams } from "../../support/rawSocket.js"

const gateway = TestGateway.Gateway

layer(TestGateway.layer(), { excludeTestServices: true })("initialize", (it) => {
  it.scoped.each(["2024-11-05", "2025-06-18", "2025-11-25"])(
    "speaks MCP %s when asked to",
    (revision) =>
      Effect.gen(function*() {
        const served = yield* gateway
        const socket = yield* connect(served)
        expect(yield* socket.call("initialize", initializeParams(revision))).toMatchObject({
          jsonrpc: "2.0",
          result: {
            protocolVersion: revision,
            serverInfo: { name: "kruxos-gateway", version: packageVersion },
            capabilities: {
              tools: { listChanged: true },
              experimental: {
                kruxos: {
                  session: { session_id: expect.stringMatching(/^ses-/), agent: served.agent, resumed: false },
                  native: {},
                  cancellation: {}
                }
              }
            }
          }
        })
      })
  )

  it.scoped.each(["2025-03-26", "1999-01-01", ""])(
    "offers its newest revision where asked for %j",
    (revision) =>
      Effect.gen(function*() {
        const socket = yield* connect(yield* gateway)
        const answer = yield* socket.call("initialize", initializeParams(revision))
        expect(at(answer, "result", "protocolVersion")).toBe("2025-11-25")
      })
  )

  it.scoped.each([
    ["no params", undefined],
    ["params without a revision", {}],
    ["params in a list", ["2025-06-18"]],
    ["a revision that is a number", { protocolVersion: 20250618 }],
    ["a client that is a string", { protocolVersion: "2025-06-18", clientInfo: "me" }]
  ])("refuses %s, and takes the next attempt", ([_, params]) =>
    Effect.gen(function*() {
      const socket = yield* connect(yield* gateway)
      expect(yield* socket.call("initialize", params)).toMatchObject({ error: { code: -32602 } })
      expect(yield* socket.call("initialize", initializeParams())).toHaveProperty("result")
      expect(yield* socket.call("tools/list")).toHaveProperty("result.tools")
    }))

  it.scoped("needs neither a client's name nor its capabilities", () =>
    Effect.gen(function*() {
      const socket = yield* connect(yield* gateway)
      expect(yield* socket.call("initialize", { protocolVersion: "2024-11-05" })).toHaveProperty("result")
    }))

  it.scoped("happens once: a second one fails, and the session goes on", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const before = yield* socket.call("capabilities.invoke", { capability: "agent.session" })
      expect(yield* socket.call("initialize", initializeParams())).toMatchObject({
        error: { code: -32600, message: "The session is initialized already" }
      })
      const after = yield* socket.call("capabilities.invoke", { capability: "agent.session" })
      expect(at(after, "result", "data", "session_id")).toBe(at(before, "result", "data", "session_id"))
    }))

  it.scoped("happens once also where two arrive at the same time", () =>
    Effect.gen(function*() {
      const socket = yield* connect(yield* gateway)
      yield* socket.send({ jsonrpc: "2.0", id: 1, method: "initialize", params: initializeParams() })
      yield* socket.send({ jsonrpc: "2.0", id: 2, method: "initialize", params: initializeParams() })
      const answers = [yield* socket.receive, yield* socket.receive]
      expect(answers.filter((answer) => at(answer, "result") !== undefined)).toHaveLength(1)
      expect(answers.filter((answer) => at(answer, "error", "code") === -32600)).toHaveLength(1)
    }))

  it.scoped("cannot be cancelled", () =>
    Effect.gen(function*() {
      const socket = yield* connect(yield* gateway)
      yield* socket.send({ jsonrpc: "2.0", id: 1, method: "initialize", params: initializeParams() })
      yield* socket.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } })
      expect(yield* socket.receive).toHaveProperty("result.serverInfo")
    }))

  it.scoped.each(["tools/list", "tools/call", "capabilities.list", "capabilities.invoke", "no/such/method"])(
    "has to come before %s",
    (method) =>
      Effect.gen(function*() {
        const socket = yield* connect(yield* gateway)
        const refused = yield* socket.call(method)
        expect(at(refused, "error", "code")).toBe(-32600)
        expect(at(refused, "error", "message")).toMatch(/^Session not initialized/)
        expect(yield* socket.call("initialize", initializeParams())).toHaveProperty("result")
      })
  )

  it.scoped("is not needed for a ping", () =>
    Effect.gen(function*() {
      const socket = yield* connect(yield* gateway)
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
      yield* socket.call("initialize", initializeParams())
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
    }))

  it.scoped("is recorded with the client's name", () =>
    Effect.gen(function*() {
      const { inStore } = yield* gateway
      const socket = yield* initialized(yield* gateway)
      const answer = yield* socket.call("capabilities.invoke", { capability: "agent.session" })
      const record = yield* inStore(Effect.flatMap(SessionRecords, (records) => Effect.orDie(records.list())))
      expect(record.find(({ sessionId }) => sessionId === at(answer, "result", "data", "session_id"))).toMatchObject({
        transport: "websocket",
        clientName: { value: "raw" }
      })
    }))
})

layer(TestGateway.layer(), { excludeTestServices: true })("messages", (it) => {
  it.scoped.each(["text", "", 0, -7, 1.5, 2 ** 53])(
    "are answered with the id %j that they came with",
    (id) =>
      Effect.gen(function*() {
        const socket = yield* initialized(yield* gateway)
        yield* socket.send({ jsonrpc: "2.0", id, method: "tools/list" })
        const answer = yield* socket.receive
        expect(at(answer, "id")).toBe(id)
        expect(listAt(answer, "result", "tools").length).toBeGreaterThan(20)
      })
  )

  it.scoped("have ids of two kinds: 1 is not \"1\"", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      yield* socket.send({
        jsonrpc: "2.0",
        id: 1,
        method: "capabilities.invoke",
        params: { capability: "agent.whoami" }
      })
      yield* socket.send({
        jsonrpc: "2.0",
        id: "1",
        method: "capabilities.invoke",
        params: { capability: "agent.whoami" }
      })
      const answers = [yield* socket.receive, yield* socket.receive]
      expect(new Set(answers.map((answer) => at(answer, "id")))).toEqual(new Set([1, "1"]))
      for (const answer of answers) expect(at(answer, "result", "success")).toBe(true)
    }))

  it.scoped.each([
    ["a notification that is known", { jsonrpc: "2.0", method: "notifications/initialized" }],
    ["a notification that is not", { jsonrpc: "2.0", method: "notifications/made_up", params: { a: 1 } }],
    ["a request's method without an id", { jsonrpc: "2.0", method: "tools/list" }],
    ["a cancellation without params", { jsonrpc: "2.0", method: "notifications/cancelled" }],
    ["a cancellation of nothing", { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 404 } }],
    ["a cancellation of an object", { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: {} } }],
    ["a result that nobody asked for", { jsonrpc: "2.0", id: 77, result: {} }],
    ["an error that nobody asked for", { jsonrpc: "2.0", id: 77, error: { code: 1, message: "no" } }],
    ["an error without an id", { jsonrpc: "2.0", id: null, error: { code: 1, message: "no" } }]
  ])("get no answer where they are %s", ([_, message]) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      yield* socket.send(message)
      // Frames are handled in order, so that an answer would be before this one.
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
    }))
})
