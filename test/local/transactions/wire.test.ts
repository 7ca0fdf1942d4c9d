import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { at, textAt } from "../../support/json.js"
import { post } from "../../support/rawHttp.js"
import { connect, initialized, initializeParams } from "../../support/rawSocket.js"
import { serveCustom } from "../protocol/customGateway.js"
import { begin, end, makeThings, step, take } from "./things.js"

const report = (rolled_back: number, conflicts: ReadonlyArray<unknown> = [], not_reversible: number = 0) => ({
  rolled_back: Array.from({ length: rolled_back }, () => "test.run"),
  not_reversible: Array.from({ length: not_reversible }, () => "test.run"),
  conflicts
})

const failedWith = (type: string, context: object = {}) =>
  expect.objectContaining({
    success: false,
    error: expect.objectContaining({ type, context: expect.objectContaining(context) })
  })

const refusedWith = (error_type: string, context: object = {}) =>
  expect.objectContaining({ error_type, context: expect.objectContaining(context) })

describe("transactions on the wire", () => {
  it.scopedLive("are advertised", () =>
    Effect.gen(function*() {
      const socket = yield* connect(yield* serveCustom({ builtIn: false }))
      const answer = yield* socket.call("initialize", initializeParams())
      expect(at(answer, "result", "capabilities", "experimental", "kruxos", "transactions")).toEqual({})
    }))

  it.scopedLive("are committed, which is said again, also over another session, and is not rolled back any more", () =>
    Effect.gen(function*() {
      const things = makeThings()
      const gateway = yield* serveCustom({ ...things.options, builtIn: false })
      const [socket, other] = [yield* initialized(gateway), yield* initialized(gateway)]
      const id = yield* begin(socket)
      expect(yield* take(socket, id, "a=1")).toEqual({ success: true, data: { text: "a=1" } })
      expect(yield* take(socket, id, "b=2")).toEqual({ success: true, data: { text: "b=2" } })
      for (const each of [socket, socket, other]) expect(yield* end(each, "commit", id)).toEqual({ success: true })
      expect([...things.values]).toEqual([["a", "1"], ["b", "2"]])
      expect(things.released).toEqual(["a", "b"])
      expect(yield* end(other, "rollback", id)).toEqual(refusedWith("TransactionClosed", { transaction_id: id }))
      expect(yield* take(socket, id, "c=3")).toEqual(failedWith("TransactionClosed", { transaction_id: id }))
      const answer = yield* post(gateway, {
        jsonrpc: "2.0",
        id: 1,
        method: "transaction.commit",
        params: { transaction_id: id }
      })
      expect(at(answer.body, "result")).toEqual({ success: true })
    }))

  it.scopedLive("are rolled back, the last step first, which is said again, and to a commit", () =>
    Effect.gen(function*() {
      const things = makeThings()
      things.values.set("a", "0")
      const gateway = yield* serveCustom({ ...things.options, builtIn: false })
      const [socket, other] = [yield* initialized(gateway), yield* initialized(gateway)]
      const id = yield* begin(socket)
      for (const text of ["a=1", "b=2", "a=3", "fails c=4"]) yield* take(socket, id, text)
      for (const each of [socket, socket, other]) expect(yield* end(each, "rollback", id)).toEqual(report(3))
      expect(things.undone).toEqual(["a=3", "b=2", "a=1"])
      expect([...things.values]).toEqual([["a", "0"]])
      expect(yield* end(other, "commit", id)).toEqual({
        ...report(3),
        success: false,
        error: expect.objectContaining({ type: "TransactionClosed" })
      })
      expect(yield* take(socket, id, "c=3")).toEqual(failedWith("TransactionClosed", { transaction_id: id }))
      expect(things.values.has("c")).toBe(false)
    }))

  it.scopedLive("undo what a step that failed has done all the same", () =>
    Effect.gen(function*() {
      const things = makeThings()
      const socket = yield* initialized(yield* serveCustom({ ...things.options, builtIn: false }))
      const id = yield* begin(socket)
      expect(yield* take(socket, id, "failed a=1")).toEqual(failedWith("ServiceUnavailable"))
      expect(things.values.get("a")).toBe("1")
      expect(yield* end(socket, "rollback", id)).toEqual(report(1))
      expect(things.values.size).toBe(0)
    }))

  it.scopedLive("leave alone what somebody else has changed, and say so; and whatever a bug keeps from being undone", () =>
    Effect.gen(function*() {
      const things = makeThings()
      const socket = yield* initialized(yield* serveCustom({ ...things.options, builtIn: false }))
      const id = yield* begin(socket)
      for (const text of ["a=1", "b=2", "c=3"]) yield* take(socket, id, text)
      things.values.set("b", "other")
      things.whileUndoing.set("a", Effect.die(new Error("a bug")))
      const conflicts = [
        { capability: "test.run", resource: "b", saved_as: "saved/b" },
        { capability: "test.run", resource: "test.run" }
      ]
      expect(yield* end(socket, "rollback", id)).toEqual(report(1, conflicts))
      expect([...things.values]).toEqual([["a", "1"], ["b", "other"]])
    }))

  it.scopedLive("name each file of an edit that somebody else has changed, and where its earlier content is", () =>
    Effect.gen(function*() {
      const gateway = yield* serveCustom({})
      const socket = yield* initialized(gateway)
      const pathOf = (name: string) => join(gateway.workspace, "edited", name)
      fs.mkdirSync(join(gateway.workspace, "edited"))
      const names = ["a.txt", "b.txt", "c.txt"]
      for (const name of names) fs.writeFileSync(pathOf(name), "old")
      const id = yield* begin(socket)
      const edited = yield* socket.call("capabilities.invoke", {
        capability: "filesystem.edit",
        arguments: { path: "edited", pattern: "old", replace: "new", include_glob: "*", replace_all: true },
        transaction_id: id
      })
      expect(at(edited, "result", "success")).toBe(true)
      for (const name of ["a.txt", "c.txt"]) fs.writeFileSync(pathOf(name), "theirs")
      const conflictAt = (name: string) => ({
        capability: "filesystem.edit",
        resource: `/workspace/edited/${name}`,
        saved_as: expect.stringContaining(name)
      })
      // The last file first, as they are undone.
      const answer = { rolled_back: [], not_reversible: [], conflicts: [conflictAt("c.txt"), conflictAt("a.txt")] }
      expect(yield* end(socket, "rollback", id)).toEqual(answer)
      expect(names.map((name) => fs.readFileSync(pathOf(name), "utf8"))).toEqual(["theirs", "old", "theirs"])
      expect(yield* end(socket, "rollback", id)).toEqual(answer)
    }))

  it.scopedLive("of others, and those that are not there, are invalid input", () =>
    Effect.gen(function*() {
      const things = makeThings()
      const gateway = yield* serveCustom({ ...things.options, builtIn: false })
      const socket = yield* initialized(gateway)
      const foreign = yield* initialized(gateway, yield* gateway.addAgent("other"))
      const id = yield* begin(socket)
      for (const [each, name] of [[foreign, id], [socket, "txn-none"]] as const) {
        const refused = refusedWith("InvalidInput", { field: "transaction_id" })
        expect(yield* end(each, "commit", name)).toEqual(refused)
        expect(yield* end(each, "rollback", name)).toEqual(refused)
        expect(yield* take(each, name, "a=1")).toEqual(failedWith("InvalidInput", { field: "transaction_id" }))
        const answer = yield* each.call("transaction.begin", { parent: name })
        expect(at(answer, "error", "data")).toEqual(refusedWith("InvalidInput", { field: "parent" }))
      }
      expect(things.values.size).toBe(0)
      expect(yield* end(socket, "commit", id)).toEqual({ success: true })
    }))

  it.scopedLive("take steps of their own session only", () =>
    Effect.gen(function*() {
      const things = makeThings()
      const gateway = yield* serveCustom({ ...things.options, builtIn: false })
      const [socket, other] = [yield* initialized(gateway), yield* initialized(gateway)]
      const id = yield* begin(socket)
      expect(yield* take(other, id, "a=1")).toEqual(failedWith("TransactionClosed"))
      expect(at(yield* other.call("transaction.begin", { parent: id }), "error", "data", "error_type"))
        .toBe("TransactionClosed")
      expect(things.values.size).toBe(0)
      expect(yield* end(other, "commit", id)).toEqual({ success: true })
    }))

  it.scopedLive("refuse what cannot be undone, before anything runs, unless its caller compensates for it", () =>
    Effect.gen(function*() {
      const things = makeThings()
      const options = { ...things.options, builtIn: false, undos: new Map(), sideEffects: ["not reversible"] as const }
      const socket = yield* initialized(yield* serveCustom(options))
      const id = yield* begin(socket)
      expect(yield* take(socket, id, "a=1")).toEqual(failedWith("NotReversible"))
      expect(things.values.size).toBe(0)
      expect(yield* take(socket, id, "a=2", { compensated: true })).toEqual({ success: true, data: { text: "a=2" } })
      yield* take(socket, id, "fails a=3", { compensated: true })
      expect(yield* end(socket, "rollback", id)).toEqual(report(0, [], 1))
      expect(things.values.get("a")).toBe("2")
    }))

  it.scopedLive("refuse params that are none", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* serveCustom({ builtIn: false }))
      for (const timeout_seconds of [0, -1, 86_401]) {
        const answer = yield* socket.call("transaction.begin", { timeout_seconds })
        expect(at(answer, "error", "data")).toEqual(refusedWith("InvalidInput", { field: "timeout_seconds" }))
      }
      for (const params of [{}, { transaction_id: 1 }, { transaction_id: "x".repeat(201) }]) {
        expect(at(yield* socket.call("transaction.commit", params), "error", "code")).toBe(-32602)
      }
    }))

  it.scopedLive("forget the keys of what was rolled back, and of what they refused, and no others", () =>
    Effect.gen(function*() {
      const things = makeThings()
      const socket = yield* initialized(yield* serveCustom({ ...things.options, builtIn: false }))
      const statusOf = (idempotency_key: string) =>
        Effect.map(
          socket.call("capabilities.outcome", { idempotency_key }),
          (answer) => textAt(answer, "result", "status")
        )
      const first = yield* begin(socket)
      yield* take(socket, first, "a=1", { idempotency_key: "k" })
      yield* take(socket, first, "fails a=1", { idempotency_key: "f" })
      expect(yield* take(socket, first, "a=1", { idempotency_key: "k" })).toEqual({
        success: true,
        data: { text: "a=1" }
      })
      const second = yield* begin(socket)
      expect(yield* take(socket, second, "a=1", { idempotency_key: "k" })).toEqual(failedWith("InvalidInput"))
      yield* end(socket, "rollback", first)
      yield* take(socket, first, "a=1", { idempotency_key: "late" })
      for (const key of ["k", "f", "late"]) expect(yield* statusOf(key)).toBe("not_found")
      expect(yield* take(socket, second, "a=1", { idempotency_key: "k" })).toEqual({
        success: true,
        data: { text: "a=1" }
      })
      yield* end(socket, "commit", second)
      expect(yield* statusOf("k")).toBe("done")
      const third = yield* begin(socket)
      const nested = yield* begin(socket, { parent: third })
      yield* take(socket, nested, "a=2", { idempotency_key: "n" })
      yield* end(socket, "commit", nested)
      expect(yield* statusOf("n")).toBe("done")
      yield* end(socket, "rollback", third)
      expect(yield* statusOf("n")).toBe("not_found")
    }))

  it.scopedLive("never hold what an MCP client calls", () =>
    Effect.gen(function*() {
      const things = makeThings()
      const socket = yield* initialized(yield* serveCustom({ ...things.options, builtIn: false }))
      const id = yield* begin(socket)
      yield* socket.call("tools/call", { ...step(id, "a=1"), name: "test__run" })
      expect(yield* end(socket, "rollback", id)).toEqual(report(0))
      expect(things.values.get("a")).toBe("1")
    }))
})
