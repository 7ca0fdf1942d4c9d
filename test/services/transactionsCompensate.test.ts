import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { Capabilities } from "../../src/services/Capabilities.js"
import { Transaction } from "../../src/services/Transaction.js"
import { at } from "../support/json.js"
import { withLogs } from "../support/logs.js"
import { settled } from "../support/scriptedGateway.js"
import { success } from "./support.js"
import { nothing, otherwise, over, transactionGateway } from "./transactionsSupport.js"

const write = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.write", { path: "/a", content: "" }))

describe("compensate", () => {
  const alerting = (done: Array<string>, name: string, fails = false) =>
    Effect.flatMap(Capabilities, ({ invoke }) =>
      invoke("alerts.send", { message: name }, {
        compensate: ({ alert_id }) =>
          fails ? Effect.fail("it cannot be undone") : Effect.zipRight(
            invoke("alerts.acknowledge", { alert_id }).pipe(Effect.option),
            Effect.sync(() => done.push(`${name} ${alert_id}`))
          )
      }))

  it.scoped("undoes the last step first, before the gateway and outside of the transaction", () => {
    const gateway = transactionGateway({ report: { ...nothing, not_reversible: ["alerts.send", "alerts.send"] } })
    return Effect.gen(function*() {
      const done: Array<string> = []
      const failing = Transaction.run(Effect.gen(function*() {
        yield* alerting(done, "one")
        yield* write
        yield* Transaction.run(alerting(done, "two"))
        yield* Effect.fail("no")
      }))
      assert.strictEqual(yield* Effect.flip(failing), "no")
      assert.deepStrictEqual(done, ["two alert-1", "one alert-1"])
      assert.deepStrictEqual(gateway.log(), [
        "begin",
        "alerts.send tx-1 compensated",
        "filesystem.write tx-1",
        "begin tx-1",
        "alerts.send tx-2 compensated",
        "commit tx-2",
        "alerts.acknowledge",
        "alerts.acknowledge",
        "rollback tx-1"
      ])
    }).pipe(over(gateway))
  })

  it.scoped("is forgotten on commit, and ignored outside", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      const done: Array<string> = []
      yield* alerting(done, "one")
      yield* Transaction.run(alerting(done, "two"))
      assert.deepStrictEqual(done, [])
      assert.include(gateway.log(), "alerts.send")
    }).pipe(over(gateway))
  })

  it.scoped("that fails keeps no other one from running, and is reported", () =>
    withLogs((logs) => {
      const gateway = transactionGateway({
        report: { ...nothing, not_reversible: ["alerts.send", "alerts.send", "alerts.send"] }
      })
      return Effect.gen(function*() {
        const done: Array<string> = []
        const failing = Transaction.run(Effect.gen(function*() {
          yield* alerting(done, "one")
          yield* alerting(done, "two", true)
          yield* alerting(done, "three")
          yield* Effect.fail("no")
        }))
        const error = yield* Effect.flip(failing)
        assert.deepInclude(error, {
          _tag: "RollbackIncomplete",
          rolledBack: ["alerts.send", "alerts.send"],
          notReversible: ["alerts.send"],
          cause: "no"
        })
        assert.deepStrictEqual(done, ["three alert-1", "one alert-1"])
        assert.match(logs.join("\n"), /WARN[^]*alerts\.send[^]*it cannot be undone/)
      }).pipe(over(gateway))
    }))

  it.scoped("is carried out to its end when the transaction is interrupted, and where the commit is refused", () => {
    const gateway = transactionGateway({
      report: { ...nothing, not_reversible: ["alerts.send"] },
      instead: otherwise("transaction.commit", ({ id }, server) =>
        server.answer(id, {
          success: false,
          error: { type: "VersionConflict", message: "no" },
          ...nothing,
          not_reversible: ["alerts.send"]
        }))
    })
    return Effect.gen(function*() {
      const done: Array<string> = []
      const fiber = yield* Effect.fork(Transaction.run(Effect.zipRight(alerting(done, "one"), Effect.never)))
      yield* settled
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      assert.deepStrictEqual(done, ["one alert-1"])
      const error = yield* Effect.flip(Transaction.run(alerting(done, "two")))
      assert.strictEqual(error._tag, "VersionConflict")
      assert.lengthOf(done, 2)
    }).pipe(over(gateway))
  })

  it.scoped("that never ends is given up, and so are those that no time is left for", () =>
    withLogs((logs) => {
      const gateway = transactionGateway({ report: { ...nothing, not_reversible: ["alerts.send", "alerts.send"] } })
      return Effect.gen(function*() {
        const done: Array<string> = []
        const { invoke } = yield* Capabilities
        const stuck = invoke("alerts.send", { message: "stuck" }, { compensate: () => Effect.never })
        const failing = yield* Effect.fork(Effect.flip(
          Transaction.run(Effect.zipRight(Effect.zipRight(alerting(done, "one"), stuck), Effect.fail("no")))
        ))
        yield* settled
        yield* TestClock.adjust("119 seconds")
        assert.isNull(failing.unsafePoll())
        yield* TestClock.adjust("1 second")
        assert.deepInclude(yield* Fiber.join(failing), {
          _tag: "RollbackIncomplete",
          notReversible: ["alerts.send", "alerts.send"],
          cause: "no"
        })
        assert.deepStrictEqual(done, [])
        assert.match(logs.join("\n"), /WARN[^]*alerts\.send[^]*no time left/)
      }).pipe(over(gateway))
    }))

  it.scoped("undoes a step whose caller is interrupted before its answer", () => {
    let answer = () => {}
    const gateway = transactionGateway({
      report: { ...nothing, not_reversible: ["alerts.send"] },
      instead: ({ id, params }, server) => {
        if (at(params, "capability") !== "alerts.send") return false
        answer = () => server.answer(id, success({ alert_id: "late", delivered_to: "file_queue", severity: "info" }))
        return true
      }
    })
    return Effect.gen(function*() {
      const done: Array<string> = []
      const failing = yield* Effect.fork(Effect.flip(Transaction.run(Effect.all([
        alerting(done, "one"),
        Effect.zipRight(settled, Effect.fail("no"))
      ], { concurrency: "unbounded" }))))
      yield* settled
      yield* settled
      assert.isNull(failing.unsafePoll())
      answer()
      assert.strictEqual(yield* Fiber.join(failing), "no")
      assert.deepStrictEqual(done, ["one late"])
      assert.notInclude(gateway.log(), "notifications/cancelled")

      const stuck = yield* Effect.fork(Effect.flip(Transaction.run(Effect.all([
        alerting(done, "two"),
        Effect.zipRight(settled, Effect.fail("no"))
      ], { concurrency: "unbounded" }))))
      yield* settled
      yield* settled
      yield* TestClock.adjust("5 seconds")
      assert.propertyVal(yield* Fiber.join(stuck), "_tag", "RollbackIncomplete")
    }).pipe(over(gateway))
  })

  it.scoped("has the output as its schema reads it", () => {
    const gateway = transactionGateway({ report: { ...nothing, not_reversible: ["alerts.send"] } })
    return Effect.gen(function*() {
      const { invokeDynamic } = yield* Capabilities
      let output: unknown
      const compensate = (given: unknown) => Effect.sync(() => output = given)
      yield* Effect.flip(Transaction.run(
        Effect.zipRight(invokeDynamic("alerts.send", { message: "!" }, { compensate }), Effect.fail("no"))
      ))
      assert.propertyVal(output, "alert_id", "alert-1")
    }).pipe(over(gateway))
  })
})
