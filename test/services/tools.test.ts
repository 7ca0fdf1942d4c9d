import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { collected } from "../connection/linkSupport.js"
import { at } from "../support/json.js"
import { initialized, make, requests, settled } from "../support/scriptedGateway.js"
import { capabilitiesOf, mcpGateway } from "./support.js"

const tools = [
  {
    name: "filesystem__read",
    description: "Reads a file",
    inputSchema: {
      type: "object",
      properties: {
        path: { type: "string", description: "Which file" },
        limit: { type: "integer", default: 0 },
        extra: { anyOf: [] }
      },
      required: ["path"]
    }
  },
  { name: "filesystem__write", description: null, inputSchema: true },
  { name: "filesystem__watch" },
  { name: "state__persistent__get", description: "Reads a value", inputSchema: { type: "object", properties: "none" } },
  { name: "pack__do_it", inputSchema: { properties: { a: 7 } } }
]

const names = <A extends { readonly name: string }, E>(list: Effect.Effect<ReadonlyArray<A>, E>) =>
  Effect.map(list, (definitions) => definitions.map(({ name }) => name))

describe("the list over MCP", () => {
  it.scoped("tells what a tool tells", () =>
    Effect.gen(function*() {
      const capabilities = yield* capabilitiesOf(mcpGateway({ tools }))
      const all = yield* capabilities.list()
      assert.deepStrictEqual(all.map(({ name }) => name), [
        "filesystem.read",
        "filesystem.watch",
        "filesystem.write",
        "pack.do_it",
        "state.persistent.get"
      ])
      assert.deepInclude(all[0], {
        name: "filesystem.read",
        purpose: "Reads a file",
        inputs: [
          { name: "path", type: "String", required: true, description: "Which file" },
          { name: "limit", type: "Integer", required: false, default: 0, description: "" },
          { name: "extra", type: "Object", required: false, description: "" }
        ],
        outputs: [],
        errors: [],
        permissionTier: undefined
      })
      assert.deepInclude(all[3], { name: "pack.do_it", purpose: "", tags: [] })
    }))

  it.scoped("filters by the catalogue's tags, since tools have none", () =>
    Effect.gen(function*() {
      const { list } = yield* capabilitiesOf(mcpGateway({ tools }))
      assert.deepStrictEqual(yield* names(list({ tag: "safe", category: "filesystem" })), [
        "filesystem.read",
        "filesystem.watch"
      ])
      assert.deepStrictEqual(yield* names(list({ category: "filesystem", nameContains: "WR" })), ["filesystem.write"])
      assert.deepStrictEqual(yield* names(list({ category: "file" })), [])
      assert.deepStrictEqual(yield* names(list({ tag: "no such tag" })), [])
      const [watch] = yield* list({ nameContains: "watch" })
      assert.deepStrictEqual(watch?.sideEffects, [{ description: "", reversible: true }])
    }))

  it.scoped("asks page by page", () =>
    Effect.gen(function*() {
      const gateway = make(initialized(({ id, params }, server) => {
        const cursor = at(params, "cursor")
        if (cursor === undefined) server.answer(id, { tools: tools.slice(0, 2), nextCursor: "two" })
        else if (cursor === "two") server.answer(id, { tools: [], nextCursor: "three" })
        else server.answer(id, { tools: tools.slice(2), nextCursor: cursor === "three" ? null : "?" })
      }))
      const { list } = yield* capabilitiesOf(gateway)
      assert.strictEqual((yield* list()).length, 5)
      assert.strictEqual(requests(gateway.connections[0], "tools/list").length, 3)
    }))

  it.scoped("does not ask without end", () =>
    Effect.gen(function*() {
      const gateway = make(initialized(({ id }, server) => server.answer(id, { tools, nextCursor: "again" })))
      const { list } = yield* capabilitiesOf(gateway)
      assert.strictEqual((yield* Effect.flip(list()))._tag, "ProtocolError")
    }))

  it.scoped("has one deadline for all pages", () =>
    Effect.gen(function*() {
      const gateway = make(initialized())
      const { list } = yield* capabilitiesOf(gateway, { requestTimeoutMillis: 1000 })
      const fiber = yield* Effect.fork(Effect.flip(list()))
      yield* settled
      yield* TestClock.adjust("900 millis")
      const server = gateway.connections[0]
      server?.answer(requests(server)[0]?.id ?? 0, { tools, nextCursor: "two" })
      yield* settled
      assert.strictEqual(requests(server).length, 2)
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "GatewayTimeout")
    }))

  it.scoped.each([null, {}, { tools: {} }, { tools: [{ title: "nameless" }] }, { tools: [{ name: 7 }] }])(
    "fails with ProtocolError when the answer is %j",
    (result) =>
      Effect.gen(function*() {
        const { list } = yield* capabilitiesOf(make(initialized(({ id }, server) => server.answer(id, result))))
        const failure = yield* Effect.flip(list())
        assert.strictEqual(failure._tag, "ProtocolError")
        assert.match(failure.message, /tools\/list/)
      })
  )

  it.scoped.each(
    [
      [{ code: -32000, message: "slow down", data: { retry_after_seconds: 3 } }, "RateLimited"],
      [{ code: -32003, message: "bad key" }, "AuthenticationFailed"],
      [{ code: -32601, message: "no such method" }, "ProtocolError"],
      [{ code: -32001, message: "denied" }, "ProtocolError"]
    ] as const
  )("fails as the gateway refuses: %j", ([error, tag]) =>
    Effect.gen(function*() {
      const { list } = yield* capabilitiesOf(make(initialized(({ id }, server) => server.refuse(id, error))))
      const failure = yield* Effect.flip(list())
      assert.strictEqual(failure._tag, tag)
      assert.include(failure.message, error.message)
    }))
})

describe("a definition over MCP", () => {
  it.scoped("finds a tool by the name of its capability", () =>
    Effect.gen(function*() {
      const { describe } = yield* capabilitiesOf(mcpGateway({ tools }))
      assert.strictEqual((yield* describe("state.persistent.get")).purpose, "Reads a value")
      assert.include((yield* describe("filesystem.read")).tags, "safe")
    }))

  it.scoped("says of any other that there is none", () =>
    Effect.gen(function*() {
      const { describe } = yield* capabilitiesOf(mcpGateway({ tools }))
      for (const name of ["filesystem.reed", "filesystem__read", "__proto__", ""]) {
        const failure = yield* Effect.flip(describe(name))
        assert.strictEqual(failure._tag, "CapabilityNotFound")
        assert.strictEqual(failure.capability, name)
      }
    }))
})

describe("changes", () => {
  it.scoped("emit when the list of tools has changed", () =>
    Effect.gen(function*() {
      const gateway = mcpGateway({ tools })
      const { changes } = yield* capabilitiesOf(gateway)
      const { seen } = yield* collected(changes)
      gateway.connections[0]?.notify("notifications/tools/list_changed")
      gateway.connections[0]?.notify("notifications/message", { level: "info" })
      gateway.connections[0]?.notify("notifications/tools/list_changed")
      yield* settled
      assert.strictEqual(seen.length, 2)
    }))
})
