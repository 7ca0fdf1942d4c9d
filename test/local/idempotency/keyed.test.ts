import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { ServiceUnavailable } from "../../../src/errors/general.js"
import { until } from "../../support/deadline.js"
import { folders, Gateway } from "../../support/gateway.js"
import { at } from "../../support/json.js"
import { post, rpc } from "../../support/rawHttp.js"
import { initialized, type RawSocket } from "../../support/rawSocket.js"
import { serveCustom } from "../protocol/customGateway.js"

const began: Array<string> = []
const ended: Array<string> = []
const gates = new Map<string, () => void>()

const count = (list: ReadonlyArray<string>, text: string) => list.filter((each) => each === text).length

const gate = (text: string) =>
  Effect.async<void>((resume) => {
    gates.set(text, () => resume(Effect.void))
  })

const open = (text: string) => Effect.sync(() => gates.get(text)?.())

const run = (text: string): Effect.Effect<string, ServiceUnavailable> =>
  Effect.suspend(() => {
    began.push(text)
    const result = text.startsWith("busy")
      ? Effect.fail(new ServiceUnavailable({ message: "later", service: "test", retryable: text === "busy" }))
      : text === "bug"
      ? Effect.die(new Error("a bug"))
      : Effect.zipRight(text.startsWith("wait") ? gate(text) : Effect.void, Effect.succeed(text))
    return Effect.onExit(result, (exit) => Effect.sync(() => ended.push(`${text} ${exit._tag}`)))
  })

const gateway = Layer.scoped(Gateway, serveCustom({ run }))

const keyed = (key: string, text: string) => ({
  capability: "test.run",
  arguments: { text },
  idempotency_key: key
})

const invoke = (socket: RawSocket, key: string, text: string) => socket.call("capabilities.invoke", keyed(key, text))

const begin = (socket: RawSocket, id: number, key: string, text: string) =>
  Effect.zipRight(
    socket.send({ jsonrpc: "2.0", id, method: "capabilities.invoke", params: keyed(key, text) }),
    until(`${text} to begin`, Effect.sync(() => gates.has(text)))
  )

const outcome = (socket: RawSocket, key: string) =>
  Effect.map(socket.call("capabilities.outcome", { idempotency_key: key }), (answer) => at(answer, "result"))

const statusIs = (socket: RawSocket, key: string, status: string) =>
  until(`${key} to be ${status}`, Effect.map(outcome(socket, key), (result) => at(result, "status") === status))

const done = (text: string) => ({ status: "done", result: { success: true, data: { text } } })

layer(gateway, { excludeTestServices: true })("a keyed invocation", (it) => {
  it.scoped("runs once; a later repeat is answered from the record, on any connection of the agent", () =>
    Effect.gen(function*() {
      const used = yield* Gateway
      const socket = yield* initialized(used)
      const first = yield* invoke(socket, "k1", "once")
      assert.deepStrictEqual(at(first, "result"), { success: true, data: { text: "once" } })
      const again = yield* invoke(yield* initialized(used), "k1", "once")
      assert.deepStrictEqual(at(again, "result"), at(first, "result"))
      assert.deepStrictEqual(at(yield* rpc(used, "capabilities.invoke", keyed("k1", "once")), "result"), {
        success: true,
        data: { text: "once" }
      })
      assert.strictEqual(count(began, "once"), 1)
      assert.deepStrictEqual(yield* outcome(socket, "k1"), done("once"))
    }))

  it.scoped("of another agent is another one", () =>
    Effect.gen(function*() {
      const used = yield* Gateway
      const other = yield* used.addAgent("other")
      yield* invoke(yield* initialized(used), "k2", "each")
      const socket = yield* initialized(used, other)
      assert.deepStrictEqual(yield* outcome(socket, "k2"), { status: "not_found" })
      yield* invoke(socket, "k2", "each")
      assert.strictEqual(count(began, "each"), 2)
    }))

  it.scoped("is joined by a repeat that comes while it runs", () =>
    Effect.gen(function*() {
      const used = yield* Gateway
      const [one, two] = [yield* initialized(used), yield* initialized(used)]
      yield* begin(one, 1, "k3", "wait 3")
      const joined = yield* Effect.fork(invoke(two, "k3", "wait 3"))
      assert.deepStrictEqual(yield* outcome(yield* initialized(used), "k3"), { status: "running" })
      yield* open("wait 3")
      assert.deepStrictEqual(at(yield* Fiber.join(joined), "result", "data"), { text: "wait 3" })
      assert.deepStrictEqual(at(yield* one.receive, "result", "data"), { text: "wait 3" })
      assert.strictEqual(count(began, "wait 3"), 1)
    }))

  it.scoped("is refused where the key belongs to other arguments, running or done", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      const refused = { type: "InvalidInput", context: { field: "idempotency_key" } }
      yield* begin(socket, 1, "k4", "wait 4")
      const other = yield* initialized(yield* Gateway)
      assert.deepInclude(at(yield* invoke(other, "k4", "something else"), "result", "error"), refused)
      yield* open("wait 4")
      yield* socket.receive
      assert.deepInclude(at(yield* invoke(other, "k4", "something else"), "result", "error"), refused)
      assert.deepStrictEqual(yield* outcome(socket, "k4"), done("wait 4"))
      assert.notInclude(began, "something else")
    }))

  it.scoped("goes on when its connection is lost, and its repeat gets the result", () =>
    Effect.gen(function*() {
      const used = yield* Gateway
      const lost = yield* initialized(used)
      yield* begin(lost, 1, "k5", "wait 5")
      yield* lost.cut
      const socket = yield* initialized(used)
      const joined = yield* Effect.fork(invoke(socket, "k5", "wait 5"))
      yield* open("wait 5")
      assert.deepStrictEqual(at(yield* Fiber.join(joined), "result", "data"), { text: "wait 5" })
      assert.strictEqual(count(began, "wait 5"), 1)
    }))

  it.scoped("stops when its caller cancels it, and is not run again: nobody knows what it has done", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      yield* begin(socket, 7, "k6", "wait 6")
      yield* socket.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } })
      yield* statusIs(socket, "k6", "unknown")
      assert.strictEqual(count(ended, "wait 6 Failure"), 1)
      assert.deepInclude(at(yield* invoke(socket, "k6", "wait 6"), "result", "error"), { type: "OutcomeUnknown" })
      assert.strictEqual(count(began, "wait 6"), 1)
    }))

  it.scoped("goes on for the other who waits for it when one cancels", () =>
    Effect.gen(function*() {
      const used = yield* Gateway
      const [one, two] = [yield* initialized(used), yield* initialized(used)]
      yield* begin(one, 7, "k7", "wait 7")
      const joined = yield* Effect.fork(invoke(two, "k7", "wait 7"))
      // Answered after the repeat, which has then arrived.
      yield* rpc(used, "ping")
      yield* one.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } })
      yield* one.call("ping")
      yield* open("wait 7")
      assert.deepStrictEqual(at(yield* Fiber.join(joined), "result", "data"), { text: "wait 7" })
    }))

  it.scoped("may be tried again after a failure that passes, and not after one that stays", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      yield* invoke(socket, "k8", "busy")
      assert.deepStrictEqual(yield* outcome(socket, "k8"), { status: "not_found" })
      yield* invoke(socket, "k8", "busy")
      assert.strictEqual(count(began, "busy"), 2)
      const first = yield* invoke(socket, "k9", "busy for ever")
      assert.deepStrictEqual(at(yield* invoke(socket, "k9", "busy for ever"), "result"), at(first, "result"))
      assert.strictEqual(count(began, "busy for ever"), 1)
      assert.deepStrictEqual(yield* outcome(socket, "k9"), { status: "done", result: at(first, "result") })
    }))

  it.scoped("that met a bug is not run again", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      assert.strictEqual(at(yield* invoke(socket, "k10", "bug"), "error", "code"), -32603)
      assert.deepStrictEqual(yield* outcome(socket, "k10"), { status: "unknown" })
      assert.deepInclude(at(yield* invoke(socket, "k10", "bug"), "result", "error"), { type: "OutcomeUnknown" })
      assert.strictEqual(count(began, "bug"), 1)
    }))

  it.scoped("that needs approval asks once, and the key goes on to answer with that request", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      const remove = { capability: "filesystem.delete", arguments: { path: "/workspace/a" }, idempotency_key: "k11" }
      const first = at(yield* socket.call("capabilities.invoke", remove), "result", "error")
      assert.deepInclude(first, { type: "ApprovalPending" })
      const again = at(yield* socket.call("capabilities.invoke", remove), "result", "error")
      assert.strictEqual(at(again, "context", "approval_id"), at(first, "context", "approval_id"))
      assert.deepInclude(at(yield* outcome(socket, "k11"), "result", "error"), { type: "ApprovalPending" })
      const other = { ...remove, arguments: { path: "/workspace/b" } }
      assert.deepInclude(at(yield* socket.call("capabilities.invoke", other), "result", "error"), {
        type: "InvalidInput"
      })
    }))

  it.scoped("has a key of 1 to 200 printable characters", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      for (const key of ["", "x".repeat(201), "a\nb", "\0", "ä", 5, {}]) {
        const answer = yield* socket.call("capabilities.invoke", { ...keyed("", "bad key"), idempotency_key: key })
        assert.strictEqual(at(answer, "error", "code"), -32602, JSON.stringify(key))
      }
      assert.notInclude(began, "bad key")
      const longest = yield* invoke(socket, "~ ".repeat(100), "good key")
      assert.strictEqual(at(longest, "result", "success"), true)
    }))

  it.scoped("over HTTP goes on when the request is given up", () =>
    Effect.gen(function*() {
      const used = yield* Gateway
      const request = { jsonrpc: "2.0", id: 1, method: "capabilities.invoke", params: keyed("k12", "wait 12") }
      const given = yield* Effect.fork(post(used, request))
      yield* until("wait 12 to begin", Effect.sync(() => gates.has("wait 12")))
      yield* Fiber.interrupt(given)
      yield* open("wait 12")
      yield* statusIs(yield* initialized(used), "k12", "done")
    }))
})

describe("a gateway that has more results than it keeps", () => {
  it.scopedLive("does not run again what it has dropped the result of", () =>
    Effect.gen(function*() {
      const used = yield* serveCustom({ run, store: { keyedInvocations: { maximumResultBytes: 100 } } })
      const socket = yield* initialized(used)
      const texts = ["dropped", "x".repeat(50)]
      for (const text of texts) yield* invoke(socket, text, text)
      assert.deepStrictEqual(yield* outcome(socket, "dropped"), { status: "unknown" })
      assert.deepInclude(at(yield* invoke(socket, "dropped", "dropped"), "result", "error"), { type: "OutcomeUnknown" })
      for (const text of texts) assert.strictEqual(count(began, text), 1)
      assert.deepStrictEqual(yield* outcome(socket, "x".repeat(50)), done("x".repeat(50)))
    }))
})

describe("a gateway that stops", () => {
  it.scopedLive("stops what it runs, and the next one on its data knows that nobody knows the outcome", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const scope = yield* Scope.make()
      const first = yield* Scope.extend(serveCustom({ run }, Effect.succeed(used)), scope)
      const socket = yield* initialized(first)
      yield* invoke(socket, "k14", "before")
      yield* begin(socket, 1, "k13", "wait 13")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(count(ended, "wait 13 Failure"), 1)
      const next = yield* initialized(yield* serveCustom({ run }, Effect.succeed(used)))
      assert.deepStrictEqual(yield* outcome(next, "k13"), { status: "unknown" })
      assert.deepInclude(at(yield* invoke(next, "k13", "wait 13"), "result", "error"), { type: "OutcomeUnknown" })
      assert.deepStrictEqual(at(yield* invoke(next, "k14", "before"), "result", "data"), { text: "before" })
      assert.strictEqual(count(began, "wait 13") + count(began, "before"), 2)
    }))
})
