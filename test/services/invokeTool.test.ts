import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { at } from "../support/json.js"
import { requests } from "../support/scriptedGateway.js"
import { capabilitiesOf, json, mcpGateway, text, type ToolHandler } from "./support.js"

const path = "/workspace/notes.txt"

const checksum = "0".repeat(64)

const reading = (handler: ToolHandler, approvals?: { readonly [id: string]: string }) =>
  mcpGateway({ call: { filesystem__read: handler }, ...(approvals === undefined ? {} : { approvals }) })

const answering = (tool: string, result: object) => mcpGateway({ call: { [tool]: () => result } })

describe("invoke over MCP", () => {
  it.scoped("calls the tool with the arguments as they are given, and nothing else", () =>
    Effect.gen(function*() {
      const gateway = answering("filesystem__write", json({ path, size: 5, checksum }))
      const { invoke } = yield* capabilitiesOf(gateway)
      assert.deepStrictEqual(yield* invoke("filesystem.write", { path, content: "hello", encoding: undefined }), {
        path,
        size: 5,
        checksum
      })
      assert.deepStrictEqual(requests(gateway.connections[0]).map(({ method, params }) => ({ method, params })), [
        { method: "tools/call", params: { name: "filesystem__write", arguments: { path, content: "hello" } } }
      ])
    }))

  it.scoped("sends no argument that is not there where none is needed", () =>
    Effect.gen(function*() {
      const time = { utc: "2026-01-02T03:04:05Z", unix_epoch: 1, unix_epoch_ms: 1000, local: null, timezone: "UTC" }
      const gateway = answering("system__time", json(time))
      const { invoke } = yield* capabilitiesOf(gateway)
      assert.strictEqual((yield* invoke("system.time")).unix_epoch, 1)
      assert.deepStrictEqual(at(requests(gateway.connections[0])[0]?.params, "arguments"), {})
    }))

  it.scoped("prefers the structured content, where it fits", () =>
    Effect.gen(function*() {
      const structured = { content: "structured", size: 10 }
      const { invoke } = yield* capabilitiesOf(reading((argumentsGiven) =>
        text("from the text", { structuredContent: at(argumentsGiven, "path") === path ? structured : { other: 1 } })
      ))
      assert.strictEqual((yield* invoke("filesystem.read", { path })).content, "structured")
      assert.strictEqual((yield* invoke("filesystem.read", { path: "other" })).content, "from the text")
    }))

  it.scoped("joins texts, and takes other content for none", () =>
    Effect.gen(function*() {
      const result = {
        content: [{ type: "text", text: "one" }, { type: "image", data: "" }, 7, { type: "text", text: "two" }]
      }
      const { invoke } = yield* capabilitiesOf(reading(() => result))
      assert.strictEqual((yield* invoke("filesystem.read", { path })).content, "one\ntwo")
    }))
})

describe("the content of a file over MCP", () => {
  it.scoped.each([
    "plain text\n",
    "",
    "ä 🦑",
    "42",
    "null",
    "\"quoted\"",
    "{\"name\": \"a package\", \"version\": \"1.0.0\"}",
    "[1, 2, 3]",
    "{\"content\": 7, \"size\": \"x\"}",
    "{\"success\": false, \"error\": {\"type\": \"FileNotFound\", \"message\": \"gone\", \"recovery\": []}}",
    "{\"error_type\": \"PolicyDenied\", \"description\": \"no\"}",
    "{\"isError\": true, \"content\": []}",
    "{\"status\": \"pending_approval\", \"approval_id\": \"apr-of-the-file\", \"message\": \"wait\"}"
  ])("is content, whatever it looks like: %s", (content) =>
    Effect.gen(function*() {
      const { invoke } = yield* capabilitiesOf(reading(() => text(content), { "apr-real": "pending" }))
      const read = yield* invoke("filesystem.read", { path })
      const bytes = new TextEncoder().encode(content).length
      assert.deepInclude<unknown>(read, { content, text: content, size: bytes, size_bytes: bytes })
    }))

  it.scoped("asks about an approval that it seems to tell of, and about nothing else", () =>
    Effect.gen(function*() {
      const pending = (id: string) => json({ status: "pending_approval", approval_id: id, message: "Wait for a human" })
      const gateway = reading((argumentsGiven) => pending(String(at(argumentsGiven, "path"))), {
        "apr-real": "pending"
      })
      const { invoke } = yield* capabilitiesOf(gateway)
      const error = yield* Effect.flip(invoke("filesystem.read", { path: "apr-real" }))
      assert.deepInclude(error, { _tag: "ApprovalRequired", approvalId: "apr-real", capability: "filesystem.read" })
      assert.include((yield* invoke("filesystem.read", { path: "apr-false" })).content, "pending_approval")
      assert.deepStrictEqual(
        requests(gateway.connections[0], "kruxos/checkApproval").map(({ params }) => params),
        [{ request_id: "apr-real" }, { request_id: "apr-false" }]
      )
    }))

  it.scoped("is content where the gateway has no approvals to ask for", () =>
    Effect.gen(function*() {
      const { invoke } = yield* capabilitiesOf(reading(() => json({ status: "pending_approval", approval_id: "a" })))
      assert.include((yield* invoke("filesystem.read", { path })).content, "pending_approval")
    }))

  it.scoped("has a size where that can be told, and is kept where it cannot", () =>
    Effect.gen(function*() {
      const { invoke } = yield* capabilitiesOf(reading(() => text("part")))
      for (const part of [{ offset: 2 }, { limit: 4 }, { encoding: "base64" }]) {
        const error = yield* Effect.flip(invoke("filesystem.read", { path, ...part }))
        assert.deepInclude(error, { _tag: "OutputMismatch", raw: { text: "part", content: "part" } })
      }
      assert.strictEqual((yield* invoke("filesystem.read", { path, encoding: "utf-8" })).size, 4)
    }))

  it.scoped("may come as JSON of the whole output", () =>
    Effect.gen(function*() {
      const { invoke } = yield* capabilitiesOf(reading(() => json({ content: "inside", size_bytes: 6, future: true })))
      assert.deepInclude<unknown>(yield* invoke("filesystem.read", { path }), {
        content: "inside",
        size: 6,
        size_bytes: 6,
        future: true
      })
    }))
})

describe("what needs approval over MCP", () => {
  const pending = json({
    status: "pending_approval",
    approval_id: "apr-1",
    capability: "filesystem.delete",
    message: "Wait for a human"
  })

  it.scoped("fails with the handle of the request", () =>
    Effect.gen(function*() {
      const { invoke } = yield* capabilitiesOf(answering("filesystem__delete", pending))
      const error = yield* Effect.flip(invoke("filesystem.delete", { path }))
      assert.deepInclude(error, {
        _tag: "ApprovalRequired",
        approvalId: "apr-1",
        capability: "filesystem.delete",
        message: "Wait for a human"
      })
    }))

  it.scoped("is recognized, too, where nothing is known of the output", () =>
    Effect.gen(function*() {
      const { invokeDynamic } = yield* capabilitiesOf(mcpGateway({
        call: {
          pack__do_it: () => pending,
          pack__structured: () => text("wait", { structuredContent: { status: "pending_approval", approval_id: "s" } }),
          pack__status: () => json({ status: "pending", approval_id: "apr-1" })
        }
      }))
      assert.strictEqual((yield* Effect.flip(invokeDynamic("pack.do_it")))._tag, "ApprovalRequired")
      assert.deepStrictEqual(yield* invokeDynamic("pack.status"), { status: "pending", approval_id: "apr-1" })
    }))

  it.scoped("arrives as an error as well", () =>
    Effect.gen(function*() {
      const gateway = mcpGateway({
        call: {
          filesystem__delete: (_, { id }, server) => {
            server.refuse(id, { code: -32002, message: "Approval required", data: { approval_id: "apr-2" } })
            return undefined
          },
          filesystem__write: () =>
            json({ error: "ApprovalPending", message: "m", context: { request_id: "apr-3" } }, { isError: true })
        }
      })
      const { invoke } = yield* capabilitiesOf(gateway)
      assert.deepInclude(yield* Effect.flip(invoke("filesystem.delete", { path })), { approvalId: "apr-2" })
      assert.deepInclude(yield* Effect.flip(invoke("filesystem.write", { path, content: "" })), { approvalId: "apr-3" })
    }))
})

describe("a failed tool", () => {
  it.scoped.each(
    [
      [
        "JSON",
        json({ error: "FileNotFound", message: "gone", recovery: ["search"], path }, { isError: true }),
        "FileNotFound"
      ],
      [
        "a StructuredError",
        json({ error_type: "FileNotFound", description: "gone", context: { path } }, { isError: true }),
        "FileNotFound"
      ],
      [
        "a result inside",
        json({ success: false, error: { type: "FileNotFound", message: "gone" } }, { isError: true }),
        "FileNotFound"
      ],
      ["prose", text("gone", { isError: true }), "CapabilityError"],
      [
        "a type that the capability does not list",
        json({ error: "DiskFull", message: "gone" }, { isError: true }),
        "CapabilityError"
      ]
    ] as const
  )("tells in %s", ([, result, tag]) =>
    Effect.gen(function*() {
      const { invoke } = yield* capabilitiesOf(reading(() => result))
      const error = yield* Effect.flip(invoke("filesystem.read", { path }))
      assert.deepInclude(error, { _tag: tag, message: "gone", capability: "filesystem.read" })
    }))

  it.scoped("of a type that the capability does not list keeps its type, its fields and its cause", () =>
    Effect.gen(function*() {
      const { invoke } = yield* capabilitiesOf(
        reading(() => json({ error: "DiskFull", message: "gone", recovery: ["wait"], path }, { isError: true }))
      )
      const error = yield* Effect.flip(invoke("filesystem.read", { path }))
      assert.deepInclude(error, { type: "DiskFull", context: { path } })
      assert.deepStrictEqual(error.recovery, [{ action: "wait", description: "" }])
      assert.strictEqual(at(error.cause, "_tag"), "DiskFull")
    }))

  it.scoped("is never taken for content", () =>
    Effect.gen(function*() {
      const { invoke } = yield* capabilitiesOf(reading(() => json({ content: "a", size: 1 }, { isError: true })))
      assert.strictEqual((yield* Effect.flip(invoke("filesystem.read", { path })))._tag, "CapabilityError")
    }))
})

describe("an output of another form over MCP", () => {
  it.scoped.each(
    [
      ["cut off", text("{\"path\": \"/workspace/notes.txt\", \"si[truncated]"), {
        text: "{\"path\": \"/workspace/notes.txt\", \"si[truncated]"
      }],
      ["prose", text("Written."), { text: "Written." }],
      ["JSON of other fields", json({ bytes: 5 }), { bytes: 5 }],
      ["nothing", {}, { text: "" }]
    ] as const
  )("is kept in OutputMismatch: %s", ([, result, raw]) =>
    Effect.gen(function*() {
      const { invoke } = yield* capabilitiesOf(answering("filesystem__write", result))
      const error = yield* Effect.flip(invoke("filesystem.write", { path, content: "" }))
      assert.deepInclude(error, { _tag: "OutputMismatch", capability: "filesystem.write", raw })
    }))

  it.scoped.each([{ content: "text" }, { content: [], isError: "yes" }])(
    "is a ProtocolError where it is no tool result: %j",
    (result) =>
      Effect.gen(function*() {
        const { invoke } = yield* capabilitiesOf(answering("filesystem__write", result))
        const error = yield* Effect.flip(invoke("filesystem.write", { path, content: "" }))
        assert.strictEqual(error._tag, "ProtocolError")
      })
  )
})

describe("invokeDynamic over MCP", () => {
  const gateway = () =>
    mcpGateway({
      call: {
        pack__object: () => json({ answer: "42" }),
        pack__prose: () => text("just words"),
        pack__number: () => json(42),
        pack__structured: () => text("words", { structuredContent: { answer: 1 } })
      }
    })

  it.scoped("gives what came, parsed where it is JSON", () =>
    Effect.gen(function*() {
      const { invokeDynamic } = yield* capabilitiesOf(gateway())
      assert.deepStrictEqual(yield* invokeDynamic("pack.object"), { answer: "42" })
      assert.deepStrictEqual(yield* invokeDynamic("pack.prose"), { text: "just words" })
      assert.deepStrictEqual(yield* invokeDynamic("pack.number"), 42)
      assert.deepStrictEqual(yield* invokeDynamic("pack.structured"), { answer: 1 })
    }))

  it.scoped("decodes it by the given schema", () =>
    Effect.gen(function*() {
      const { invokeDynamic } = yield* capabilitiesOf(gateway())
      const output = Schema.Struct({ answer: Schema.NumberFromString })
      assert.deepStrictEqual(yield* invokeDynamic("pack.object", {}, { output }), { answer: 42 })
      const error = yield* Effect.flip(invokeDynamic("pack.prose", {}, { output }))
      assert.deepInclude(error, { _tag: "OutputMismatch", capability: "pack.prose", raw: { text: "just words" } })
    }))

  it.scoped("fails where the gateway has no such tool", () =>
    Effect.gen(function*() {
      const { invokeDynamic } = yield* capabilitiesOf(mcpGateway({
        call: {
          pack__missing: (_, { id }, server) => {
            server.refuse(id, { code: -32602, message: "Unknown tool: pack__missing" })
            return undefined
          }
        }
      }))
      const error = yield* Effect.flip(invokeDynamic("pack.missing"))
      assert.deepInclude(error, { _tag: "InvalidInput", message: "Unknown tool: pack__missing" })
    }))
})
