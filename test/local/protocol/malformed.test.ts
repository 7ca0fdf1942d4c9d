import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../support/gateway.js"
import { at, listAt } from "../../support/json.js"
import { post } from "../../support/rawHttp.js"
import { connect, initialized, initializeParams } from "../../support/rawSocket.js"

const gateway = TestGateway.Gateway

const maximumBytes = 16 * 1024 * 1024

const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`

const padded = (text: (padding: string) => string, bytes: number) => text("x".repeat(bytes - text("").length))

const pingOf = (bytes: number) =>
  padded((padding) => `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"padding":"${padding}"}}`, bytes)

// What is said, the id and the code of the answer.
const malformed: ReadonlyArray<readonly [string, string, unknown, number]> = [
  ["nothing", "", null, -32700],
  ["no JSON", "{\"jsonrpc\":", null, -32700],
  ["two messages at once", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}{}", null, -32700],
  ["null", "null", null, -32600],
  ["a number", "42", null, -32600],
  ["a string", "\"ping\"", null, -32600],
  ["an empty object", "{}", null, -32600],
  ["no jsonrpc", "{\"id\":1,\"method\":\"ping\"}", 1, -32600],
  ["another version", "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", 1, -32600],
  ["a version that is a number", "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}", 1, -32600],
  ["a method that is a number", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", 1, -32600],
  ["a method that is null", "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":null}", "a", -32600],
  ["params that are a string", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":\"p\"}", 1, -32600],
  ["params that are null", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":null}", 1, -32600],
  ["an id that is null", "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", null, -32600],
  ["an id that is an object", "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", null, -32600],
  ["an id that is true", "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"ping\"}", null, -32600],
  ["neither a request nor a response", "{\"jsonrpc\":\"2.0\",\"id\":3}", 3, -32600],
  ["an empty batch", "[]", null, -32600]
]

layer(TestGateway.layer(), { excludeTestServices: true })("a malformed message", (it) => {
  it.scoped.each(malformed)("on the socket: %s", ([_, text, id, code]) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      yield* socket.send(text)
      const answer = yield* socket.receive
      expect(answer).toEqual({ jsonrpc: "2.0", id, error: { code, message: expect.stringMatching(/\S/) } })
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
    }))

  it.effect.each(malformed)("on /rpc: %s", ([_, text, id, code]) =>
    Effect.gen(function*() {
      const { body, headers, status } = yield* post(yield* gateway, text)
      expect(status).toBe(200)
      expect(headers.get("content-type")).toBe("application/json")
      expect(body).toEqual({ jsonrpc: "2.0", id, error: { code, message: expect.stringMatching(/\S/) } })
    }))

  it.scoped("on the socket: a batch, though its messages are good", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      yield* socket.send([{ jsonrpc: "2.0", id: 1, method: "ping" }])
      expect(yield* socket.receive).toMatchObject({ id: null, error: { code: -32600 } })
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
    }))

  it.scoped("on the socket: a binary frame, though it is a good message", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      yield* socket.send(Buffer.from("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"))
      expect(yield* socket.receive).toMatchObject({ id: null, error: { code: -32600 } })
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
    }))

  it.scoped("on the socket: a method that does not exist", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      for (const method of ["resources/list", "capabilities.destroy", "__proto__", "constructor", ""]) {
        expect(yield* socket.call(method)).toMatchObject({ error: { code: -32601 } })
      }
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
    }))

  it.scoped("on the socket, before initialize, does not end the connection", () =>
    Effect.gen(function*() {
      const socket = yield* connect(yield* gateway)
      yield* socket.send("nonsense")
      expect(yield* socket.receive).toMatchObject({ error: { code: -32700 } })
      expect(yield* socket.call("initialize", initializeParams())).toHaveProperty("result")
    }))
})

layer(TestGateway.layer(), { excludeTestServices: true })("a deeply nested message", (it) => {
  const deep = nested(100_000)

  it.scoped.each([
    ["as the message", deep, -32600],
    ["as unused params", `{"jsonrpc":"2.0","id":1,"method":"ping","params":${deep}}`, undefined],
    ["as the params of a method", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${deep}}`, -32602],
    ["as the id", `{"jsonrpc":"2.0","id":${deep},"method":"ping"}`, -32600],
    ["as a result", `{"jsonrpc":"2.0","id":1,"result":${deep}}`, "silence"],
    ["without an end", "[".repeat(100_000), -32700]
  ])("is survived %s", ([_, text, code]) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      yield* socket.send(text)
      if (code !== "silence") expect(at(yield* socket.receive, "error", "code")).toBe(code)
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
    }))

  it.scoped.each([
    ["an argument of a read", "filesystem.read", `{"path":${deep}}`],
    ["all arguments", "filesystem.read", deep],
    ["an argument that waits for approval", "filesystem.delete", `{"path":${deep}}`],
    ["an unknown argument", "filesystem.read", `{"path":"a","more":${deep}}`]
  ])("is refused as %s", ([_, capability, given]) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const params = `{"capability":"${capability}","arguments":${given}}`
      yield* socket.send(`{"jsonrpc":"2.0","id":1,"method":"capabilities.invoke","params":${params}}`)
      expect(yield* socket.receive).toMatchObject({ error: { code: -32602, message: expect.stringContaining("128") } })
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
    }))

  it.scoped("is refused in the params of initialize", () =>
    Effect.gen(function*() {
      const socket = yield* connect(yield* gateway)
      yield* socket.send(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":${deep}}}`)
      expect(yield* socket.receive).toMatchObject({ error: { code: -32602 } })
      expect(yield* socket.call("initialize", initializeParams())).toHaveProperty("result")
    }))

  it.scoped("of 128 levels reaches the capability, and of 129 does not", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      // The params and the arguments are levels, too.
      const invoke = (levels: number) =>
        socket.call("capabilities.invoke", {
          capability: "filesystem.read",
          arguments: { path: JSON.parse(nested(levels - 2)) }
        })
      expect(yield* invoke(128)).toMatchObject({
        result: { error: { type: "InvalidInput", context: { field: "path" } } }
      })
      expect(yield* invoke(129)).toMatchObject({ error: { code: -32602 } })
    }))
})

layer(TestGateway.layer(), { excludeTestServices: true })("what does not fit is not repeated at length", (it) => {
  const long = "x".repeat(1_000_000)

  it.scoped.each(
    [
      ["params", "tools/call", { name: { long } }],
      ["an argument", "capabilities.invoke", { capability: "filesystem.read", arguments: { path: [long] } }],
      [
        "the name of an argument",
        "capabilities.invoke",
        { capability: "filesystem.read", arguments: { path: "a", [long]: 1 } }
      ],
      ["the method", long, {}],
      ["the capability", "capabilities.invoke", { capability: long }],
      ["the tool", "tools/call", { name: long }]
    ] as const
  )("where it is %s", ([_, method, params]) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const answer = JSON.stringify(yield* socket.call(method, params))
      expect(answer).toMatch(/"error"/)
      expect(answer.length).toBeLessThan(10_000)
    }))
})

layer(TestGateway.layer(), { excludeTestServices: true })("a frame", (it) => {
  it.scoped("of just 16 MiB is answered", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      yield* socket.send(pingOf(maximumBytes))
      expect(yield* socket.receive).toMatchObject({ id: 1, result: {} })
    }))

  it.scoped("of one byte more ends its own connection with 1009, and no other", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const other = yield* initialized(served)
      const socket = yield* initialized(served)
      yield* socket.send(pingOf(maximumBytes + 1))
      expect(yield* socket.closed).toMatchObject({ code: 1009 })
      expect(yield* other.call("ping")).toHaveProperty("result", {})
      expect(yield* (yield* initialized(served)).call("ping")).toHaveProperty("result", {})
    }))
})

layer(TestGateway.layer(), { excludeTestServices: true })("a batch on /rpc", (it) => {
  const pings = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ jsonrpc: "2.0", id: index, method: "ping" }))

  it.effect("of 1,000 messages is answered", () =>
    Effect.gen(function*() {
      const { body, status } = yield* post(yield* gateway, pings(1000))
      expect(status).toBe(200)
      expect(listAt(body).map((answer) => at(answer, "id"))).toEqual(Array.from({ length: 1000 }, (_, index) => index))
    }))

  it.effect("of 1,001 is refused as a whole", () =>
    Effect.gen(function*() {
      const { body } = yield* post(yield* gateway, pings(1001))
      expect(body).toMatchObject({ id: null, error: { code: -32600, message: expect.stringContaining("1000") } })
    }))
})
