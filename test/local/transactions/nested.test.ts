import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { until } from "../../support/deadline.js"
import { at } from "../../support/json.js"
import { initialized, type RawSocket } from "../../support/rawSocket.js"
import { serveCustom } from "../protocol/customGateway.js"
import { begin, end, makeThings, step, take } from "./things.js"

const report = (rolled_back: number) => ({
  rolled_back: Array.from({ length: rolled_back }, () => "test.run"),
  not_reversible: [],
  conflicts: []
})

const serve = Effect.gen(function*() {
  const things = makeThings()
  const gateway = yield* serveCustom({ ...things.options, builtIn: false })
  return { things, gateway, socket: yield* initialized(gateway), other: yield* initialized(gateway) }
})

const pushed = (transaction_id: string, reason: string) => ({
  jsonrpc: "2.0",
  method: "notifications/kruxos/transaction_ended",
  params: { transaction_id, reason }
})

/** Sends a request whose answer is taken later. */
const sendStep = (socket: RawSocket, id: number, transaction: string, text: string, more: object = {}) =>
  socket.send({ jsonrpc: "2.0", id, method: "capabilities.invoke", params: step(transaction, text, more) })

const closed = (id: number) =>
  expect.objectContaining({
    id,
    result: expect.objectContaining({ success: false, error: expect.objectContaining({ type: "TransactionClosed" }) })
  })

describe("savepoints", () => {
  it.scopedLive("are undone alone, and with the transaction around them once they are committed", () =>
    Effect.gen(function*() {
      const { socket, things } = yield* serve
      const outer = yield* begin(socket)
      yield* take(socket, outer, "a=1")
      const first = yield* begin(socket, { parent: outer })
      yield* take(socket, first, "a=2")
      expect(yield* end(socket, "rollback", first)).toEqual(report(1))
      expect([...things.values]).toEqual([["a", "1"]])
      const second = yield* begin(socket, { parent: outer })
      yield* take(socket, second, "a=3")
      expect(yield* end(socket, "commit", second)).toEqual({ success: true })
      expect(things.released).toEqual(["a"])
      yield* take(socket, outer, "a=4")
      expect(yield* end(socket, "rollback", outer)).toEqual(report(3))
      expect(things.undone).toEqual(["a=2", "a=4", "a=3", "a=1"])
      expect(things.values.size).toBe(0)
      // What was said once is said again.
      expect(yield* end(socket, "commit", second)).toEqual({ success: true })
    }))

  it.scopedLive("that run side by side are undone in the order in which things were done", () =>
    Effect.gen(function*() {
      const { socket, things } = yield* serve
      const outer = yield* begin(socket)
      const [one, two] = [yield* begin(socket, { parent: outer }), yield* begin(socket, { parent: outer })]
      for (const [id, text] of [[one, "a=1"], [two, "a=2"], [one, "a=3"], [outer, "a=4"], [two, "a=5"]] as const) {
        yield* take(socket, id, text)
      }
      yield* end(socket, "commit", one)
      yield* end(socket, "commit", two)
      expect(yield* end(socket, "rollback", outer)).toEqual(report(5))
      expect(things.undone).toEqual(["a=5", "a=4", "a=3", "a=2", "a=1"])
      expect(things.values.size).toBe(0)
    }))

  it.scopedLive("that are open when the transaction around them is committed are rolled back, which is told", () =>
    Effect.gen(function*() {
      const { other, socket, things } = yield* serve
      const outer = yield* begin(socket)
      const inner = yield* begin(socket, { parent: outer })
      const innermost = yield* begin(socket, { parent: inner })
      for (const [id, text] of [[outer, "a=1"], [inner, "b=2"], [innermost, "c=3"]] as const) {
        yield* take(socket, id, text)
      }
      expect(yield* end(other, "commit", outer)).toEqual({ success: true })
      expect([...things.values]).toEqual([["a", "1"]])
      expect(yield* socket.receive).toEqual(pushed(innermost, "parent_end"))
      expect(yield* socket.receive).toEqual(pushed(inner, "parent_end"))
      expect(yield* end(socket, "rollback", innermost)).toEqual(report(1))
      expect(yield* end(socket, "commit", inner)).toEqual({
        ...report(2),
        success: false,
        error: expect.objectContaining({ type: "TransactionClosed" })
      })
      // The other session has been told nothing.
      expect(yield* end(other, "commit", outer)).toEqual({ success: true })
    }))
})

describe("steps that run when a transaction ends", () => {
  it.scopedLive("are waited for by a commit, which takes no more of them", () =>
    Effect.gen(function*() {
      const { other, socket, things } = yield* serve
      const id = yield* begin(socket)
      yield* sendStep(socket, 1, id, "before a=1")
      yield* things.waiting("a")
      const committing = yield* Effect.fork(end(other, "commit", id))
      yield* Effect.repeat(
        Effect.zipRight(sendStep(socket, 2, id, "b=2"), socket.receive),
        { until: (answer) => at(answer, "result", "success") === false }
      )
      expect(committing.unsafePoll()).toBeNull()
      yield* things.open("a")
      expect(yield* socket.receive).toMatchObject({ id: 1, result: { success: true } })
      expect(yield* Fiber.join(committing)).toEqual({ success: true })
      expect(things.values.get("a")).toBe("1")
    }))

  for (const [name, more] of [["plain", {}], ["keyed", { idempotency_key: "k" }]] as const) {
    it.scopedLive(`are stopped by a rollback, and undone (${name})`, () =>
      Effect.gen(function*() {
        const { other, socket, things } = yield* serve
        const id = yield* begin(socket)
        yield* take(socket, id, "c=1")
        yield* sendStep(socket, 1, id, "after a=1", more)
        yield* sendStep(socket, 2, id, "before b=1", "idempotency_key" in more ? { idempotency_key: "k2" } : {})
        yield* things.waiting("a")
        yield* things.waiting("b")
        expect(yield* end(other, "rollback", id)).toEqual(report(2))
        expect(things.values.size).toBe(0)
        const answers = [yield* socket.receive, yield* socket.receive]
        for (const request of [1, 2]) expect(answers).toContainEqual(closed(request))
      }))
  }

  it.scopedLive("of savepoints are stopped with the transaction around them", () =>
    Effect.gen(function*() {
      const { other, socket, things } = yield* serve
      const outer = yield* begin(socket)
      const inner = yield* begin(socket, { parent: outer })
      yield* sendStep(socket, 1, inner, "after a=1")
      yield* things.waiting("a")
      expect(yield* end(other, "rollback", outer)).toEqual(report(1))
      expect(things.values.size).toBe(0)
      const messages = [yield* socket.receive, yield* socket.receive]
      expect(messages).toContainEqual(closed(1))
      expect(messages).toContainEqual(pushed(inner, "parent_end"))
    }))
})

describe("the end of a session", () => {
  for (const [name, more] of [["plain", {}], ["keyed", { idempotency_key: "k" }]] as const) {
    it.scopedLive(`rolls back what it has open, with the step that runs (${name})`, () =>
      Effect.gen(function*() {
        const { other, socket, things } = yield* serve
        const id = yield* begin(socket)
        const inner = yield* begin(socket, { parent: id })
        yield* take(socket, inner, "b=1")
        yield* sendStep(socket, 1, id, "after a=1", more)
        yield* things.waiting("a")
        yield* socket.cut
        yield* until("the rollback", Effect.sync(() => things.values.size === 0))
        expect(yield* end(other, "commit", id)).toEqual({
          ...report(2),
          success: false,
          error: expect.objectContaining({
            type: "TransactionClosed",
            context: expect.objectContaining({ reason: "session_end" })
          })
        })
        expect(yield* end(other, "rollback", inner)).toEqual(report(1))
      }))
  }

  it.scopedLive("lets the commit end that it has cut off", () =>
    Effect.gen(function*() {
      const { other, socket, things } = yield* serve
      const id = yield* begin(socket)
      yield* take(socket, id, "a=1")
      yield* socket.send({ jsonrpc: "2.0", id: 1, method: "transaction.commit", params: { transaction_id: id } })
      yield* socket.cut
      const answer = yield* end(other, "commit", id)
      // Whether the gateway had read it, nobody can know: what it says is what has happened.
      expect(things.values.has("a")).toBe(at(answer, "success") === true)
    }))
})
