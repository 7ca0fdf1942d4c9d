import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Invocations from "../../src/connection/invocations.js"
import { OutcomeUnknown } from "../../src/errors/gateway.js"
import type { SendStep } from "../../src/services/transaction/OpenTransaction.js"
import { linkTo } from "../connection/linkSupport.js"
import { at } from "../support/json.js"
import { withLogs } from "../support/logs.js"
import { settled } from "../support/scriptedGateway.js"
import { transactionsOver } from "./compensatingSupport.js"
import { failure, nativeGateway, success } from "./support.js"

/** A gateway with the session's state only, and alerts. It does not answer what is in `silent`. */
const gateway = Effect.gen(function*() {
  const values = new Map<string, unknown>()
  const silent = new Set<string>()
  const order: Array<string> = []
  const script = nativeGateway((name, input) => {
    const key = String(at(input, "key"))
    const before = values.get(key)
    order.push(String(name))
    if (silent.has(key)) return undefined
    switch (name) {
      case "state.session.get":
        return success(values.has(key) ? { found: true, value: before } : { found: false })
      case "state.session.set":
        values.set(key, at(input, "value"))
        return success({ overwritten: before !== undefined })
      case "state.session.delete":
        return success({ deleted: values.delete(key) })
      case "alerts.send":
        return success({ alert_id: "a1", delivered_to: "dashboard", severity: "info" })
      default:
        return failure({ type: "CapabilityNotFound", message: String(name) })
    }
  })
  const made = yield* linkTo(script)
  return { ...transactionsOver(made), link: made, values, silent, order }
})

const nothing = { rolledBack: [], notReversible: [], conflicts: [] }

const complete = (...rolledBack: ReadonlyArray<string>) => ({ rolledBack, notReversible: [], conflicts: [] })

describe("the end of a transaction that this package undoes", () => {
  it.scoped("comes with its time, which is not that of a human", () =>
    Effect.gen(function*() {
      const { begin, link, step, values } = yield* gateway
      const transaction = yield* begin({ timeoutMillis: 60_000 })
      yield* step(transaction, "state.session.set", { key: "one", value: 1 })
      yield* TestClock.adjust("50 seconds")
      const waiting: SendStep = (request) =>
        Effect.gen(function*() {
          request.onWaiting?.(true)
          yield* Effect.sleep("1 hour")
          request.onWaiting?.(false)
          return yield* Invocations.invoke(link, request)
        })
      const held = yield* Effect.fork(
        step(transaction, "state.session.set", { key: "two", value: 2 }, { send: waiting })
      )
      yield* settled
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(held)
      assert.isTrue(transaction.isOpen())
      yield* TestClock.adjust("9 seconds")
      assert.isTrue(transaction.isOpen())
      yield* TestClock.adjust("1 seconds")
      yield* settled
      assert.isFalse(transaction.isOpen())
      assert.strictEqual(values.size, 0)
      const late = step(transaction, "state.session.set", { key: "three", value: 3 })
      assert.strictEqual((yield* Effect.flip(late))._tag, "TransactionClosed")
      assert.strictEqual((yield* Effect.flip(transaction.cut))._tag, "TransactionTimeout")
      assert.strictEqual((yield* Effect.flip(transaction.commit))._tag, "TransactionTimeout")
      assert.deepStrictEqual(yield* transaction.rollback, complete("state.session.set", "state.session.set"))
    }))

  it.scoped("comes to all savepoints with the time of the outer one", () =>
    Effect.gen(function*() {
      const { begin, step, values } = yield* gateway
      const outer = yield* begin({ timeoutMillis: 10_000 })
      const inner = yield* begin({ parent: outer })
      yield* step(inner, "state.session.set", { key: "one", value: 1 })
      yield* TestClock.adjust("10 seconds")
      yield* settled
      assert.strictEqual((yield* Effect.flip(inner.cut))._tag, "TransactionClosed")
      assert.strictEqual((yield* Effect.flip(inner.commit))._tag, "TransactionClosed")
      assert.strictEqual(values.size, 0)
    }))

  it.scoped("does not come to a savepoint before the outer one, unless it is given a time of its own", () =>
    Effect.gen(function*() {
      const { begin, step } = yield* gateway
      const outer = yield* begin({ timeoutMillis: 600_000 })
      const inner = yield* begin({ parent: outer })
      const short = yield* begin({ parent: outer, timeoutMillis: 1000 })
      yield* TestClock.adjust("9 minutes")
      yield* settled
      assert.strictEqual((yield* Effect.flip(short.cut))._tag, "TransactionTimeout")
      yield* step(inner, "state.session.set", { key: "one", value: 1 })
      yield* TestClock.adjust("1 minute")
      yield* settled
      assert.strictEqual((yield* Effect.flip(outer.cut))._tag, "TransactionTimeout")
      assert.strictEqual((yield* Effect.flip(inner.commit))._tag, "TransactionClosed")
    }))

  it.scoped("waits for the step that runs, and undoes it", () =>
    Effect.gen(function*() {
      const { begin, link, step, values } = yield* gateway
      const transaction = yield* begin()
      const go = yield* Deferred.make<void>()
      const slow: SendStep = (request) => Effect.zipRight(Deferred.await(go), Invocations.invoke(link, request))
      const first = yield* Effect.fork(step(transaction, "state.session.set", { key: "one", value: 1 }, { send: slow }))
      const second = yield* Effect.fork(Effect.flip(step(transaction, "state.session.set", { key: "two", value: 2 })))
      yield* settled
      const rollback = yield* Effect.fork(transaction.rollback)
      yield* settled
      yield* Deferred.succeed(go, undefined)
      assert.deepStrictEqual(yield* Fiber.join(rollback), complete("state.session.set"))
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(first)))
      assert.strictEqual((yield* Fiber.join(second))._tag, "TransactionClosed")
      assert.strictEqual(values.size, 0)
    }))

  it.scoped("does not wait for a human, nor long for a step that takes its time", () =>
    Effect.gen(function*() {
      const { begin, step } = yield* gateway
      const waits: SendStep = (request) => Effect.zipRight(Effect.sync(() => request.onWaiting?.(true)), Effect.never)
      const human = yield* begin()
      const held = yield* Effect.fork(
        Effect.flip(step(human, "state.session.set", { key: "one", value: 1 }, { send: waits }))
      )
      yield* settled
      assert.deepStrictEqual(yield* human.rollback, nothing)
      assert.strictEqual((yield* Fiber.join(held))._tag, "TransactionClosed")

      const committed = yield* begin()
      const cut = yield* Effect.fork(
        Effect.flip(step(committed, "state.session.set", { key: "one", value: 1 }, { send: waits }))
      )
      yield* settled
      yield* committed.commit
      assert.strictEqual((yield* Fiber.join(cut))._tag, "TransactionClosed")

      const stuck = yield* begin()
      const never = yield* Effect.fork(
        Effect.flip(step(stuck, "state.session.set", { key: "one", value: 1 }, { send: () => Effect.never }))
      )
      yield* settled
      const rollback = yield* Effect.fork(stuck.rollback)
      yield* TestClock.adjust("9 seconds")
      assert.isTrue((yield* Fiber.poll(rollback))._tag === "None")
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* Fiber.join(rollback), nothing)
      assert.strictEqual((yield* Fiber.join(never))._tag, "TransactionClosed")
    }))

  it.scoped("looks what has become of a step whose answer was lost", () =>
    Effect.gen(function*() {
      const { begin, link, step, values } = yield* gateway
      const lost = Effect.fail(new OutcomeUnknown({ message: "lost" }))
      const transaction = yield* begin()
      values.set("one", "before")
      yield* Effect.flip(step(transaction, "state.session.set", { key: "one", value: 1 }, { send: () => lost }))
      assert.deepStrictEqual(yield* transaction.rollback, nothing)
      assert.strictEqual(values.get("one"), "before")

      const done = yield* begin()
      yield* Effect.flip(step(done, "state.session.set", { key: "one", value: 1 }, {
        send: (request) => Effect.zipRight(Invocations.invoke(link, request), lost)
      }))
      assert.deepStrictEqual(yield* done.rollback, complete("state.session.set"))
      assert.strictEqual(values.get("one"), "before")
    }))

  it.scoped("carries out compensations first, the last one first, and goes on where one fails", () =>
    withLogs((logs) =>
      Effect.gen(function*() {
        const { begin, order, step, values } = yield* gateway
        const compensated: Array<string> = []
        const outer = yield* begin()
        yield* step(outer, "alerts.send", { message: "1" }, {
          compensate: (output) =>
            Effect.sync(() => compensated.push(`first ${String(at(output, "alert_id"))} ${values.size}`))
        })
        yield* step(outer, "state.session.set", { key: "one", value: 1 })
        const inner = yield* begin({ parent: outer })
        yield* step(inner, "alerts.send", { message: "2" }, { compensate: () => Effect.fail("it cannot") })
        yield* step(inner, "alerts.send", { message: "3" }, { compensate: () => Effect.die("a bug") })
        yield* step(inner, "alerts.send", { message: "4" }, {
          compensate: () => Effect.sync(() => compensated.push("last"))
        })
        yield* inner.commit
        assert.deepStrictEqual(yield* outer.rollback, {
          rolledBack: ["alerts.send", "alerts.send", "state.session.set"],
          notReversible: ["alerts.send", "alerts.send"],
          conflicts: []
        })
        assert.deepStrictEqual(compensated, ["last", "first a1 1"])
        assert.strictEqual(values.size, 0)
        assert.lengthOf(order.filter((name) => name === "alerts.send"), 4)
        for (const cause of ["it cannot", "a bug"]) assert.isTrue(logs.some((line) => line.includes(cause)))
      })
    ))

  it.scoped("cannot be interrupted, and gives up what takes too long", () =>
    Effect.gen(function*() {
      const { begin, silent, step, values } = yield* gateway
      const transaction = yield* begin()
      yield* step(transaction, "state.session.set", { key: "one", value: 1 })
      yield* step(transaction, "state.session.set", { key: "dead", value: 1 })
      silent.add("dead")
      const rollback = yield* Effect.fork(transaction.rollback)
      yield* settled
      const interruption = yield* Effect.fork(Fiber.interrupt(rollback))
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual((yield* Fiber.poll(rollback))._tag, "None")
      yield* TestClock.adjust("1 seconds")
      yield* Fiber.join(interruption)
      assert.deepStrictEqual(yield* transaction.rollback, {
        rolledBack: ["state.session.set"],
        notReversible: ["state.session.set"],
        conflicts: []
      })
      assert.deepStrictEqual([...values.keys()], ["dead"])
    }))

  it.scoped("is bounded in how much it has to undo", () =>
    Effect.gen(function*() {
      const { begin, order, step } = yield* gateway
      const transaction = yield* begin()
      yield* Effect.forEach(
        Array.from({ length: 1000 }, (_, index) => index),
        (value) =>
          step(transaction, "state.session.set", { key: "one", value }, {
            send: () => Effect.succeed({ overwritten: true })
          }),
        { discard: true }
      )
      const sent = order.length
      const error = yield* Effect.flip(step(transaction, "state.session.set", { key: "one", value: 0 }))
      assert.strictEqual(error._tag, "ResourceExhausted")
      assert.isFalse(order.slice(sent).includes("state.session.set"))
      yield* transaction.commit
      const next = yield* begin()
      yield* step(next, "state.session.set", { key: "one", value: 0 })
    }))
})
