import { assert, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ReportProgress } from "../../../src/local/progress.js"
import { until } from "../../support/deadline.js"
import { Gateway } from "../../support/gateway.js"
import { at } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import { connect, initialized, initializeParams, type RawSocket } from "../../support/rawSocket.js"
import { serveCustom } from "./customGateway.js"

/** What runs, by its text: how it reports, and how it ends. */
const running = new Map<
  string,
  { readonly report: ReportProgress | undefined; readonly end: Deferred.Deferred<string> }
>()

const gateway = Layer.scoped(
  Gateway,
  serveCustom({
    builtIn: false,
    run: (text, { progress }) => {
      const report = (value: number) => progress?.({ progress: value, message: `${text} ${value}` })
      if (text.startsWith("wait")) {
        return Effect.flatMap(Deferred.make<string>(), (end) => {
          running.set(text, { report: progress, end })
          return Deferred.await(end)
        })
      }
      for (let value = 1; value <= 3; value++) report(value)
      return Effect.succeed(text)
    }
  })
)

const begun = (text: string) =>
  Effect.gen(function*() {
    yield* until(`${text} to begin`, Effect.sync(() => running.has(text)))
    return running.get(text) ?? (yield* Effect.dieMessage(`${text} has not begun`))
  })

const request = (id: number, text: string, progressToken?: unknown, more: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "capabilities.invoke",
  params: { capability: "test.run", arguments: { text }, _meta: { progressToken }, ...more }
})

/** What comes, until the answers to so many requests have. */
const untilAnswered = (socket: RawSocket, answers = 1) =>
  Effect.gen(function*() {
    const messages: Array<unknown> = []
    for (let left = answers; left > 0;) {
      const message = yield* socket.receive
      messages.push(message)
      if (at(message, "id") !== undefined) left--
    }
    return messages.map((message) => at(message, "params") ?? at(message, "id"))
  })

const told = (progressToken: unknown, text: string) =>
  [1, 2, 3].map((progress) => ({ progressToken, progress, message: `${text} ${progress}` }))

layer(gateway, { excludeTestServices: true })("progress", (it) => {
  it.scoped("is advertised where it can be had: over a WebSocket, and not over /rpc", () =>
    Effect.gen(function*() {
      const served = yield* Gateway
      const socket = yield* connect(served)
      const answer = yield* socket.call("initialize", initializeParams())
      const features = ["result", "capabilities", "experimental", "kruxos"]
      assert.deepStrictEqual(at(answer, ...features, "progress"), {})
      const created = yield* rpc(served, "session.create")
      assert.deepStrictEqual(at(created, "result", "features", "native"), {})
      assert.strictEqual(at(created, "result", "features", "progress"), undefined)
    }))

  it.scoped("is told with the token, before the answer", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      for (const token of ["text", 7, 0, ""]) {
        yield* socket.send(request(1, "quick", token))
        assert.deepStrictEqual(yield* untilAnswered(socket), [...told(token, "quick"), 1])
      }
    }))

  it.scoped("is told of MCP's tools/call", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      const params = { name: "test__run", arguments: { text: "tool" }, _meta: { progressToken: "mcp" } }
      yield* socket.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params })
      assert.deepStrictEqual(yield* untilAnswered(socket), [...told("mcp", "tool"), 1])
    }))

  it.scoped("is not told to who does not ask", () =>
    Effect.gen(function*() {
      const served = yield* Gateway
      const socket = yield* initialized(served)
      for (
        const params of [request(1, "quiet"), request(1, "quiet", null), {
          ...request(1, "quiet"),
          params: { capability: "test.run" }
        }]
      ) {
        yield* socket.send(params)
        assert.deepStrictEqual(yield* untilAnswered(socket), [1])
      }
      yield* socket.send(request(2, "wait unasked"))
      const { end, report } = yield* begun("wait unasked")
      assert.strictEqual(report, undefined)
      yield* Deferred.succeed(end, "done")
      yield* untilAnswered(socket)
      const answer = yield* rpc(served, "capabilities.invoke", request(3, "over rpc", "token").params)
      assert.strictEqual(at(answer, "result", "data", "text"), "over rpc")
    }))

  it.scoped("is refused with a token that is none", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      for (const token of [true, {}, ["t"], "x".repeat(1001)]) {
        yield* socket.send(request(1, "wait never", token))
        const answer = yield* socket.receive
        assert.strictEqual(at(answer, "error", "data", "error_type"), "InvalidInput", JSON.stringify(answer))
        assert.strictEqual(at(answer, "error", "data", "context", "field"), "_meta.progressToken")
      }
      assert.isFalse(running.has("wait never"))
    }))

  it.scoped("of several calls keeps to their tokens, and ends with each", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      yield* socket.send(request(1, "wait a", "a"))
      yield* socket.send(request(2, "wait b", 2, { idempotency_key: "b" }))
      const one = yield* begun("wait a")
      const other = yield* begun("wait b")
      one.report?.({ progress: 1 })
      other.report?.({ progress: 10, total: 20 })
      yield* Deferred.succeed(one.end, "done")
      assert.deepStrictEqual(yield* untilAnswered(socket), [
        { progressToken: "a", progress: 1 },
        { progressToken: 2, progress: 10, total: 20 },
        1
      ])
      one.report?.({ progress: 2 })
      other.report?.({ progress: 20, total: 20 })
      yield* Deferred.succeed(other.end, "done")
      assert.deepStrictEqual(yield* untilAnswered(socket), [{ progressToken: 2, progress: 20, total: 20 }, 2])
    }))

  it.scoped("is over with a cancelled call, also while that goes on for its key", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      yield* socket.send(request(1, "wait cancelled", "c"))
      yield* socket.send(request(2, "wait keyed", "k", { idempotency_key: "kept" }))
      // Somebody else waits for it, too: then it goes on.
      yield* socket.send(request(3, "wait keyed", undefined, { idempotency_key: "kept" }))
      const calls = [yield* begun("wait cancelled"), yield* begun("wait keyed")]
      yield* socket.call("ping")
      for (const requestId of [1, 2]) {
        yield* socket.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } })
      }
      yield* socket.call("ping")
      for (const { end, report } of calls) {
        report?.({ progress: 1, message: "too late" })
        yield* Deferred.succeed(end, "done")
      }
      assert.deepStrictEqual(yield* untilAnswered(socket), [3])
    }))

  it.scoped("goes on for who asks again, with the same key, after the connection was lost", () =>
    Effect.gen(function*() {
      const served = yield* Gateway
      const key = { idempotency_key: "rejoined" }
      const first = yield* initialized(served)
      yield* first.send(request(1, "wait rejoined", "old", key))
      const { end, report } = yield* begun("wait rejoined")
      report?.({ progress: 1 })
      assert.deepStrictEqual(at(yield* first.receive, "params"), { progressToken: "old", progress: 1 })
      yield* first.cut
      const second = yield* initialized(served)
      yield* second.send(request(1, "wait rejoined", "new", key))
      yield* second.call("ping")
      report?.({ progress: 2 })
      yield* Deferred.succeed(end, "done")
      assert.deepStrictEqual(yield* untilAnswered(second), [{ progressToken: "new", progress: 2 }, 1])
    }))
})
