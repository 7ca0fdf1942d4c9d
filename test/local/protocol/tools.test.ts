import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import * as TestGateway from "../../support/gateway.js"
import { at, listAt, textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import { initialized, type RawSocket } from "../../support/rawSocket.js"

const gateway = TestGateway.Gateway

// The default policy blocks one.
const listedByDefault = Object.keys(builtIn).filter((name) => name !== "email.bulk_delete").sort()

const callTool = (socket: RawSocket, name: string, given?: unknown) =>
  socket.call("tools/call", { name, arguments: given })

const textOf = (answer: unknown) => {
  expect(listAt(answer, "result", "content")).toHaveLength(1)
  expect(at(answer, "result", "content", 0, "type")).toBe("text")
  return textAt(answer, "result", "content", 0, "text")
}

const jsonOf = (answer: unknown): unknown => JSON.parse(textOf(answer))

layer(TestGateway.layer(), { excludeTestServices: true })("tools/list", (it) => {
  it.scoped("has a tool for every capability that is not blocked", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const tools = listAt(yield* socket.call("tools/list"), "result", "tools")
      expect(tools.map((tool) => textAt(tool, "name"))).toEqual(
        listedByDefault.map((name) => name.replaceAll(".", "__"))
      )
      for (const tool of tools) {
        expect(tool).toMatchObject({
          name: expect.stringMatching(/^[a-z_]+$/),
          description: expect.stringMatching(/\S/),
          inputSchema: { type: "object" },
          annotations: { title: expect.any(String), readOnlyHint: expect.any(Boolean) }
        })
      }
    }))

  it.scoped("says what a tool gives, except where the answer can be \"pending\"", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const asking = Object.values(builtIn).filter(({ tier }) => tier === "approval_required").map(({ name }) => name)
      expect(asking).toContain("filesystem.delete")
      for (const tool of listAt(yield* socket.call("tools/list", {}), "result", "tools")) {
        if (asking.some((name) => name.replaceAll(".", "__") === at(tool, "name"))) {
          expect(tool).not.toHaveProperty("outputSchema")
        } else {
          expect(tool).toHaveProperty("outputSchema.type", "object")
        }
      }
    }))

  it.scoped("takes a cursor and metadata", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const params = { cursor: "c", _meta: { progressToken: 1 } }
      expect(yield* socket.call("tools/list", params)).toHaveProperty("result.tools")
    }))
})

layer(TestGateway.layer(), { excludeTestServices: true })("tools/call", (it) => {
  it.scoped("gives the content of a file as it is, and the output beside it", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const socket = yield* initialized(served)
      for (const content of ["plain\n", "", "{\"status\":\"pending_approval\"}", "{\"error\":\"FileNotFound\"}"]) {
        fs.writeFileSync(join(served.workspace, "file"), content)
        const answer = yield* callTool(socket, "filesystem__read", { path: "file" })
        expect(textOf(answer)).toBe(content)
        expect(at(answer, "result", "structuredContent")).toMatchObject({ content, size: content.length })
        expect(answer).not.toHaveProperty("result.isError")
      }
    }))

  it.scoped("gives everything else as JSON, twice the same", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const answer = yield* callTool(socket, "filesystem__write", { path: "new", content: "x" })
      expect(jsonOf(answer)).toMatchObject({ path: "/workspace/new", size: 1 })
      expect(at(answer, "result", "structuredContent")).toEqual(jsonOf(answer))
      expect(answer).not.toHaveProperty("result.isError")
    }))

  it.scoped("takes the name of the capability, too", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const socket = yield* initialized(served)
      expect(jsonOf(yield* callTool(socket, "agent.whoami"))).toMatchObject({ agent_name: served.agent })
    }))

  it.scoped("gives a failure as an error with what can be done", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const answer = yield* callTool(socket, "filesystem__read", { path: "sub/none" })
      expect(at(answer, "result", "isError")).toBe(true)
      expect(answer).not.toHaveProperty("result.structuredContent")
      expect(jsonOf(answer)).toEqual({
        error: "FileNotFound",
        message: expect.stringContaining("none"),
        recovery: expect.arrayContaining([
          expect.objectContaining({ capability: "filesystem.list", inputs: { path: "/workspace/sub" } })
        ]),
        retryable: false,
        retry_after: null,
        context: { path: "/workspace/sub/none" }
      })
    }))

  it.scoped.each(
    [
      ["missing", {}, "path"],
      ["mistyped", { path: [] }, "path"],
      ["unknown", { path: "a", extra: 1 }, "extra"]
    ] as const
  )("names an argument that is %s", ([_, given, field]) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const answer = yield* callTool(socket, "filesystem__read", given)
      expect(at(answer, "result", "isError")).toBe(true)
      expect(jsonOf(answer)).toMatchObject({ error: "InvalidInput", context: { field } })
    }))

  it.scoped("says that it waits for approval, which is no error", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const socket = yield* initialized(served)
      fs.writeFileSync(join(served.workspace, "kept"), "")
      const answer = yield* callTool(socket, "filesystem__delete", { path: "kept" })
      expect(jsonOf(answer)).toEqual({
        status: "pending_approval",
        approval_id: expect.stringMatching(/^apr-/),
        capability: "filesystem.delete",
        message: expect.stringMatching(/\S/)
      })
      expect(answer).not.toHaveProperty("result.isError")
      expect(answer).not.toHaveProperty("result.structuredContent")
      expect(fs.existsSync(join(served.workspace, "kept"))).toBe(true)
      const request_id = textAt(jsonOf(answer), "approval_id")
      expect(yield* socket.call("kruxos/checkApproval", { request_id })).toMatchObject({
        result: { status: "pending" }
      })
    }))

  it.scoped.each(["filesystem__explode", "", "__", "read"])(
    "does not know the tool %j",
    (name) =>
      Effect.gen(function*() {
        const socket = yield* initialized(yield* gateway)
        expect(yield* callTool(socket, name, {})).toMatchObject({
          error: { code: -32602, data: { error_type: "CapabilityNotFound" } }
        })
      })
  )

  it.scoped.each([{}, { name: 1 }, { arguments: {} }])("refuses the params %j", (params) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      expect(yield* socket.call("tools/call", params)).toMatchObject({ error: { code: -32602 } })
    }))

  it.effect("works over HTTP, too", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const answer = yield* rpc(served, "tools/call", { name: "agent__whoami" })
      expect(jsonOf(answer)).toMatchObject({ agent_name: served.agent })
    }))
})
