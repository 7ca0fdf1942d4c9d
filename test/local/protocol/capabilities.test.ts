import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
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

const invoke = (socket: RawSocket, capability: string, given?: unknown) =>
  socket.call("capabilities.invoke", { capability, arguments: given })

const namesOf = (answer: unknown) =>
  listAt(answer, "result", "capabilities").map((definition) => textAt(definition, "name"))

layer(TestGateway.layer(), { excludeTestServices: true })("capabilities.list", (it) => {
  it.scoped("has every capability that is not blocked, by name, with the tier that holds", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const answer = yield* socket.call("capabilities.list", {})
      expect(namesOf(answer)).toEqual(listedByDefault)
      const tiers = listAt(answer, "result", "capabilities").map((definition) => at(definition, "permission_tier"))
      expect(new Set(tiers)).toEqual(new Set(["autonomous", "notify", "approval_required"]))
    }))

  it.scoped.each(
    [
      [{ category: "system" }, (name: string) => name.startsWith("system.")],
      [{ category: "sys" }, () => false],
      [{ category: "" }, () => true],
      [{ category: null, tag: null, name_contains: null }, () => true],
      [{ name_contains: "READ" }, (name: string) => name.includes("read")],
      [{ category: "filesystem", name_contains: "read" }, (name: string) => /^filesystem\..*read/.test(name)],
      [{ category: "filesystem", tag: "made up" }, () => false]
    ] as const
  )("gives what %j asks for", ([filter, belongs]) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const expected = listedByDefault.filter((name) => belongs(name))
      expect(namesOf(yield* socket.call("capabilities.list", filter))).toEqual(expected)
    }))

  it.scoped("gives what carries a tag", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const expected = Object.values(builtIn).filter(({ tags }) => tags.some((tag) => tag === "safe"))
      const found = namesOf(yield* socket.call("capabilities.list", { tag: "safe" }))
      expect(found).toEqual(expected.map(({ name }) => name).sort())
      expect(found.length).toBeGreaterThan(0)
    }))

  it.scoped.each([{ category: 5 }, { tag: ["safe"] }, ["system"]])("refuses %j", (params) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      expect(yield* socket.call("capabilities.list", params)).toMatchObject({ error: { code: -32602 } })
    }))

  it.scoped("says the same over HTTP", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const socket = yield* initialized(served)
      const overSocket = yield* socket.call("capabilities.list", { category: "filesystem" })
      const overHttp = yield* rpc(served, "capabilities.list", { category: "filesystem" })
      expect(at(overHttp, "result")).toEqual(at(overSocket, "result"))
    }))
})

layer(TestGateway.layer(), { excludeTestServices: true })("capabilities.describe", (it) => {
  it.scoped("gives the whole definition, the one of the list", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const described = yield* socket.call("capabilities.describe", { name: "filesystem.delete" })
      expect(at(described, "result")).toMatchObject({
        name: "filesystem.delete",
        permission_tier: "approval_required",
        inputs: expect.anything(),
        outputs: expect.anything()
      })
      const listed = yield* socket.call("capabilities.list", { name_contains: "filesystem.delete" })
      expect(at(described, "result")).toEqual(at(listed, "result", "capabilities", 0))
    }))

  it.scoped("does not know what does not exist", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      expect(yield* socket.call("capabilities.describe", { name: "filesystem.explode" })).toMatchObject({
        error: { code: -32602, data: { error_type: "CapabilityNotFound", context: { name: "filesystem.explode" } } }
      })
    }))

  it.scoped.each([{}, { name: 1 }])("refuses %j", (params) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      expect(yield* socket.call("capabilities.describe", params)).toMatchObject({ error: { code: -32602 } })
    }))
})

layer(TestGateway.layer(), { excludeTestServices: true })("capabilities.invoke", (it) => {
  it.scoped("gives the output", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const socket = yield* initialized(served)
      expect(yield* invoke(socket, "filesystem.write", { path: "a.txt", content: "hello" })).toMatchObject({
        result: { success: true, data: { path: "/workspace/a.txt", size: 5 } }
      })
      expect(fs.readFileSync(join(served.workspace, "a.txt"), "utf8")).toBe("hello")
      expect(yield* invoke(socket, "filesystem.read", { path: "a.txt" })).toMatchObject({
        result: { success: true, data: { content: "hello", size: 5, size_bytes: 5 } }
      })
    }))

  it.scoped.each([[undefined], [null], [{}]] as const)(
    "takes the arguments %j for none",
    ([given]) =>
      Effect.gen(function*() {
        const served = yield* gateway
        const socket = yield* initialized(served)
        expect(yield* invoke(socket, "agent.whoami", given)).toMatchObject({
          result: { success: true, data: { agent_name: served.agent, workspace_path: "/workspace" } }
        })
      })
  )

  it.scoped.each(
    [
      ["none", {}, "path"],
      ["one of another type", { path: 5 }, "path"],
      ["null", { path: null }, "path"],
      ["an unknown one besides", { path: "a", paht: "b" }, "paht"],
      ["one that is too small", { path: "a", limit: -1 }, "limit"],
      ["an inner one of another type", { path: { name: "a" } }, "path"]
    ] as const
  )("names the argument that is not valid: %s", ([_, given, field]) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      expect(yield* invoke(socket, "filesystem.read", given)).toMatchObject({
        result: {
          success: false,
          error: {
            type: "InvalidInput",
            message: expect.stringContaining(field),
            retryable: false,
            retry_after: null,
            recovery: [expect.objectContaining({ action: "fix_input" })],
            context: { field, reason: expect.stringMatching(/\S/) }
          }
        }
      })
    }))

  it.scoped.each([["text"], [5], [["a.txt"]], [true]])("refuses the arguments %j", (given) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      expect(yield* invoke(socket, "filesystem.read", given)).toMatchObject({
        result: { success: false, error: { type: "InvalidInput" } }
      })
    }))

  it.scoped("says what to do about a file that is not there", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const answer = yield* invoke(socket, "filesystem.read", { path: "deep/missing.txt" })
      expect(at(answer, "result", "error")).toEqual({
        type: "FileNotFound",
        message: expect.stringContaining("missing.txt"),
        recovery: expect.arrayContaining([
          {
            action: "list",
            description: expect.stringMatching(/\S/),
            capability: "filesystem.list",
            inputs: { path: "/workspace/deep" }
          }
        ]),
        retryable: false,
        retry_after: null,
        context: { path: "/workspace/deep/missing.txt" }
      })
    }))

  it.scoped("keeps paths in the workspace, and says so", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      for (const path of ["../secret", "/etc/passwd", "/workspace/../etc/passwd"]) {
        expect(yield* invoke(socket, "filesystem.read", { path })).toMatchObject({
          result: { success: false, error: { type: "PathOutOfScope", recovery: expect.any(Array) } }
        })
      }
    }))

  it.scoped("asks a human where the tier says so, and does nothing meanwhile", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const socket = yield* initialized(served)
      fs.writeFileSync(join(served.workspace, "precious.txt"), "")
      const answer = yield* invoke(socket, "filesystem.delete", { path: "precious.txt" })
      expect(answer).toMatchObject({
        result: {
          success: false,
          error: {
            type: "ApprovalPending",
            context: {
              approval_id: expect.stringMatching(/^apr-/),
              request_id: expect.stringMatching(/^apr-/),
              capability: "filesystem.delete",
              expires_at: expect.stringMatching(/Z$/)
            }
          }
        }
      })
      expect(fs.existsSync(join(served.workspace, "precious.txt"))).toBe(true)
    }))

  it.scoped("does not ask a human about arguments that are not valid", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      expect(yield* invoke(socket, "filesystem.delete", { path: 5 })).toMatchObject({
        result: { success: false, error: { type: "InvalidInput" } }
      })
    }))

  it.scoped.each(["filesystem.explode", "", "filesystem__read", "constructor"])(
    "does not know %j",
    (name) =>
      Effect.gen(function*() {
        const socket = yield* initialized(yield* gateway)
        expect(yield* invoke(socket, name, {})).toMatchObject({
          result: { success: false, error: { type: "CapabilityNotFound", context: { name } } }
        })
      })
  )

  it.scoped.each([{}, { capability: 5 }, { arguments: {} }])(
    "refuses the params %j",
    (params) =>
      Effect.gen(function*() {
        const socket = yield* initialized(yield* gateway)
        expect(yield* socket.call("capabilities.invoke", params)).toMatchObject({ error: { code: -32602 } })
      })
  )

  it.scoped("counts what a session invokes", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      yield* invoke(socket, "agent.whoami")
      yield* invoke(socket, "filesystem.read", { path: "none" })
      yield* invoke(socket, "no.such.capability")
      expect(at(yield* invoke(socket, "agent.session"), "result", "data", "invocation_count")).toBe(3)
    }))
})

layer(TestGateway.layer(), { excludeTestServices: true })("kruxos/checkApproval", (it) => {
  const pending = (socket: RawSocket) =>
    Effect.map(
      invoke(socket, "filesystem.delete", { path: "a" }),
      (answer) => textAt(answer, "result", "error", "context", "approval_id")
    )

  it.scoped("tells an agent about its own request, in any of its sessions", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const request_id = yield* pending(yield* initialized(served))
      const socket = yield* initialized(served)
      const expected = {
        request_id,
        capability: "filesystem.delete",
        status: "pending",
        expires_at: expect.stringMatching(/Z$/)
      }
      expect(at(yield* socket.call("kruxos/checkApproval", { request_id }), "result")).toEqual(expected)
      expect(at(yield* rpc(served, "kruxos/checkApproval", { request_id }), "result")).toEqual(expected)
    }))

  it.scoped("tells an agent nothing about another's", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const request_id = yield* pending(yield* initialized(served))
      const other = yield* initialized(served, yield* served.addAgent("curious"))
      const anothers = yield* other.call("kruxos/checkApproval", { request_id })
      expect(anothers).toMatchObject({
        error: { code: -32602, data: { error_type: "InvalidInput", context: { field: "request_id" } } }
      })
      const unknown = yield* other.call("kruxos/checkApproval", { request_id: "apr-unknown" })
      const withoutId = (answer: unknown, id: string) => {
        const error = at(answer, "error")
        return Predicate.isRecord(error) ? JSON.stringify(error).replaceAll(id, "ID") : undefined
      }
      expect(withoutId(anothers, request_id)).toBe(withoutId(unknown, "apr-unknown"))
    }))
})

layer(TestGateway.layer({ policy: "allow-all" }), { excludeTestServices: true })("allow-all", (it) => {
  it.scoped("shows every capability as autonomous", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const listed = yield* socket.call("capabilities.list")
      expect(namesOf(listed)).toEqual(Object.keys(builtIn).sort())
      for (const definition of listAt(listed, "result", "capabilities")) {
        expect(at(definition, "permission_tier")).toBe("autonomous")
      }
      const own = yield* invoke(socket, "agent.capabilities")
      for (const capability of listAt(own, "result", "data", "capabilities")) {
        expect(at(capability, "permission_tier")).toBe("autonomous")
      }
    }))

  it.scoped("deletes without asking", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const socket = yield* initialized(served)
      fs.writeFileSync(join(served.workspace, "gone.txt"), "")
      expect(yield* invoke(socket, "filesystem.delete", { path: "gone.txt" })).toMatchObject({
        result: { success: true }
      })
      expect(fs.existsSync(join(served.workspace, "gone.txt"))).toBe(false)
    }))

  it.scoped("still keeps paths in the workspace", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      expect(yield* invoke(socket, "filesystem.delete", { path: "/etc/passwd" })).toMatchObject({
        result: { error: { type: "PathOutOfScope" } }
      })
    }))
})
