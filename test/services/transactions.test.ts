import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Capabilities } from "../../src/services/Capabilities.js"
import { State } from "../../src/services/State.js"
import { Transaction } from "../../src/services/Transaction.js"
import { withLogs } from "../support/logs.js"
import { settled } from "../support/scriptedGateway.js"
import { features, over, servicesOf, transactionGateway } from "./transactionsSupport.js"

const write = (path = "/workspace/a") =>
  Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.write", { path, content: "hello" }))

const read = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.read", { path: "/workspace/b" }))

const failureOf = <A, E>(exit: Exit.Exit<A, E>) =>
  Exit.isFailure(exit) ? Option.getOrThrow(Cause.failureOption(exit.cause)) : assert.fail("it succeeded")

const partly = {
  rolled_back: [],
  not_reversible: ["filesystem.write"],
  conflicts: [{ capability: "filesystem.write", resource: "/workspace/a", saved_as: "/workspace/.trash/1" }]
}

describe("Transaction.run", () => {
  it.scoped("makes every invocation a step, and commits", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      yield* write()
      const output = yield* Transaction.run(Effect.zipRight(write(), write("/workspace/b")), { timeout: "2 minutes" })
      assert.strictEqual(output.path, "/workspace/b")
      yield* write()
      assert.deepStrictEqual(gateway.log(), [
        "filesystem.write",
        "begin",
        "filesystem.write tx-1",
        "filesystem.write tx-1",
        "commit tx-1",
        "filesystem.write"
      ])
      assert.deepStrictEqual(gateway.asked("transaction.begin")[0]?.params, { timeout_seconds: 120 })
    }).pipe(over(gateway))
  })

  it.scoped("rolls back where the effect fails, dies or is interrupted, which stays what it was", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      const failed = yield* Effect.exit(Transaction.run(Effect.zipRight(write(), read)))
      assert.strictEqual(failureOf(failed)._tag, "FileNotFound")
      const died = yield* Effect.exit(Transaction.run(Effect.zipRight(write(), Effect.die("a bug"))))
      assert.deepStrictEqual(died, Exit.die("a bug"))
      const fiber = yield* Effect.fork(Transaction.run(Effect.zipRight(write(), Effect.never)))
      yield* settled
      const interrupted = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isFailure(interrupted) && Cause.isInterruptedOnly(interrupted.cause))
      assert.deepStrictEqual(gateway.log().filter((line) => /^(rollback|commit)/.test(line)), [
        "rollback tx-1",
        "rollback tx-2",
        "rollback tx-3"
      ])
    }).pipe(over(gateway))
  })

  it.scoped("says what could not be undone, and why it was to be", () => {
    const gateway = transactionGateway({ report: partly })
    return Effect.gen(function*() {
      const failed = failureOf(yield* Effect.exit(Transaction.run(Effect.zipRight(write(), read))))
      assert.deepInclude(failed, {
        _tag: "RollbackIncomplete",
        transactionId: "tx-1",
        notReversible: ["filesystem.write"],
        conflicts: [{ capability: "filesystem.write", resource: "/workspace/a", savedAs: "/workspace/.trash/1" }]
      })
      assert.propertyVal(failed.cause, "_tag", "FileNotFound")
      const died = failureOf(yield* Effect.exit(Transaction.run(Effect.zipRight(write(), Effect.die("a bug")))))
      assert.deepInclude(died, { _tag: "RollbackIncomplete", cause: "a bug" })

      const fiber = yield* Effect.fork(Transaction.run(Effect.zipRight(write(), Effect.never)))
      yield* settled
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isInterrupted(exit))
      assert.deepInclude(failureOf(exit), { _tag: "RollbackIncomplete", transactionId: "tx-3" })
    }).pipe(over(gateway))
  })

  it.scoped.each(["TransactionTimeout", "TransactionClosed", "VersionConflict"])(
    "fails with %s where that keeps the gateway from committing",
    (type) => {
      let report: object = { rolled_back: ["filesystem.write"], not_reversible: [], conflicts: [] }
      const gateway = transactionGateway({
        instead: ({ id, method }, server) => {
          if (method !== "transaction.commit") return false
          server.answer(id, { success: false, error: { type, message: "no" }, ...report })
          return true
        }
      })
      return Effect.gen(function*() {
        const error = yield* Effect.flip(Transaction.run(write()))
        assert.strictEqual(error._tag, type)
        assert.notInclude(gateway.log(), "rollback tx-1")
        report = partly
        const incomplete = yield* Effect.flip(Transaction.run(write()))
        assert.deepInclude(incomplete, { _tag: "RollbackIncomplete", notReversible: ["filesystem.write"] })
        assert.propertyVal(incomplete.cause, "_tag", type)
      }).pipe(over(gateway))
    }
  )

  it.scoped("is a savepoint inside another one", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      yield* Transaction.run(Effect.gen(function*() {
        yield* write()
        yield* Effect.option(Transaction.run(Effect.zipRight(write(), read)))
        yield* Transaction.run(write())
        yield* write()
      }))
      assert.deepStrictEqual(gateway.log(), [
        "begin",
        "filesystem.write tx-1",
        "begin tx-1",
        "filesystem.write tx-2",
        "filesystem.read tx-2",
        "rollback tx-2",
        "begin tx-1",
        "filesystem.write tx-3",
        "commit tx-3",
        "filesystem.write tx-1",
        "commit tx-1"
      ])
    }).pipe(over(gateway))
  })

  it.scoped("keeps those in parallel apart", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      const run = (path: string) => Transaction.run(Effect.zipRight(Effect.yieldNow(), write(path)))
      yield* Effect.all([run("/workspace/1"), run("/workspace/2"), write("/workspace/3")], { concurrency: 3 })
      const transactions = new Map(
        gateway.asked("capabilities.invoke").map(({ params }) => {
          const { arguments: { path }, transaction_id } = JSON.parse(JSON.stringify(params))
          return [path, transaction_id]
        })
      )
      assert.sameMembers([transactions.get("/workspace/1"), transactions.get("/workspace/2")], ["tx-1", "tx-2"])
      assert.isUndefined(transactions.get("/workspace/3"))
    }).pipe(over(gateway))
  })

  it.scoped("reaches forked fibers, and not what opts out", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      const { shared } = yield* State
      yield* Transaction.run(Effect.gen(function*() {
        yield* Fiber.join(yield* Effect.fork(write("/forked")))
        yield* Transaction.outside(write("/outside"))
        yield* Stream.runDrain(Transaction.outside(Stream.fromEffect(write("/outside"))))
        yield* Stream.runDrain(Stream.fromEffect(write("/inside")))
        yield* Effect.option(shared.get("key"))
        yield* Effect.option(Stream.runDrain(shared.changes("key")))
      }))
      const steps = gateway.log().filter((line) => line.includes("."))
      assert.deepStrictEqual(steps, [
        "filesystem.write tx-1",
        "filesystem.write",
        "filesystem.write",
        "filesystem.write tx-1",
        "state.shared.get tx-1",
        "state.shared.list"
      ])
    }).pipe(over(gateway))
  })

  it.scoped("refuses a fiber that outlives it, without asking the gateway", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      const go = yield* Deferred.make<void>()
      const leaked = yield* Transaction.run(Effect.forkDaemon(Effect.zipRight(Deferred.await(go), write())))
      yield* Deferred.succeed(go, undefined)
      const error = yield* Effect.flip(Fiber.join(leaked))
      assert.deepInclude(error, { _tag: "TransactionClosed", transactionId: "tx-1", capability: "filesystem.write" })
      assert.deepStrictEqual(gateway.log(), ["begin", "commit tx-1"])
    }).pipe(over(gateway))
  })

  it.scoped("keeps what the effect sets on its fiber, and runs in an uninterruptible region", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      const reference = yield* FiberRef.make(0)
      yield* Transaction.run(FiberRef.set(reference, 1))
      assert.strictEqual(yield* FiberRef.get(reference), 1)
      yield* Effect.uninterruptible(Transaction.run(write()))
    }).pipe(over(gateway))
  })

  it.scoped("refuses a timeout that is none, or more than a day", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      for (const timeout of [0, "25 hours", Infinity] as const) {
        assert.propertyVal(yield* Effect.flip(Transaction.run(write(), { timeout })), "_tag", "InvalidInput")
      }
      assert.deepStrictEqual(gateway.log(), [])
    }).pipe(over(gateway))
  })

  it.scoped("fails with what the begin is refused for", () => {
    const gateway = transactionGateway({
      instead: ({ id, method }, server) => {
        if (method !== "transaction.begin") return false
        server.refuse(id, {
          code: -32000,
          message: "no more",
          data: { type: "ResourceExhausted", message: "no more", context: { limit: 100 } }
        })
        return true
      }
    })
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Transaction.run(write()))
      assert.strictEqual(error._tag, "ResourceExhausted")
    }).pipe(over(gateway))
  })

  it.scoped("gives a transaction back that was begun for somebody who is gone", () => {
    let begin: (() => void) | undefined
    const gateway = transactionGateway({
      instead: ({ id, method }, server) => {
        if (method !== "transaction.begin") return false
        begin = () => server.answer(id, { transaction_id: "tx-late" })
        return true
      }
    })
    return Effect.gen(function*() {
      const fiber = yield* Effect.fork(Transaction.run(write()))
      yield* settled
      yield* Fiber.interrupt(fiber)
      begin?.()
      yield* settled
      assert.deepStrictEqual(gateway.log(), ["begin", "rollback tx-late"])
    }).pipe(over(gateway))
  })
})

describe("Transaction.begin", () => {
  it.scoped("is rolled back with its scope, unless it is committed before", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      yield* Effect.scoped(
        Effect.flatMap(
          Transaction.begin(),
          (transaction) => transaction.invoke("filesystem.write", { path: "/a", content: "" })
        )
      )
      yield* Effect.scoped(Effect.gen(function*() {
        const transaction = yield* Transaction.begin()
        assert.strictEqual(transaction.mode, "gateway")
        yield* transaction.inside(write())
        yield* Effect.option(transaction.invokeDynamic("pack.unknown"))
        yield* write()
        yield* transaction.commit
        yield* transaction.commit
        const late = yield* Effect.flip(transaction.invoke("filesystem.write", { path: "/a", content: "" }))
        assert.strictEqual(late._tag, "TransactionClosed")
        assert.strictEqual((yield* Effect.flip(transaction.rollback))._tag, "TransactionClosed")
      }))
      yield* Effect.scoped(Effect.gen(function*() {
        const transaction = yield* Transaction.begin()
        assert.deepStrictEqual(yield* transaction.rollback, { rolledBack: [], notReversible: [], conflicts: [] })
        yield* transaction.rollback
        assert.strictEqual((yield* Effect.flip(transaction.commit))._tag, "TransactionClosed")
      }))
      assert.deepStrictEqual(gateway.log(), [
        "begin",
        "filesystem.write tx-1",
        "rollback tx-1",
        "begin",
        "filesystem.write tx-2",
        "pack.unknown tx-2",
        "filesystem.write",
        "commit tx-2",
        "begin",
        "rollback tx-3"
      ])
    }).pipe(over(gateway))
  })

  it.scoped("says in the log what the end of its scope left", () =>
    withLogs((logs) =>
      Effect.gen(function*() {
        const services = yield* servicesOf(transactionGateway({ report: partly }))
        const scope = yield* Scope.make()
        const transaction = yield* Transaction.begin().pipe(Effect.provide(services), Scope.extend(scope))
        yield* transaction.invoke("filesystem.write", { path: "/a", content: "" })
        yield* Scope.close(scope, Exit.void)
        assert.match(logs.join("\n"), /WARN[^]*tx-1[^]*filesystem\.write[^]*\/workspace\/a/)
      })
    ))
})

describe("a gateway that has no transactions any more", () => {
  it.scoped("is not asked to make a step of one, nor is one begun inside", () => {
    const { transactions: _, ...later } = features
    const gateway = transactionGateway({ later })
    return Effect.gen(function*() {
      const transaction = yield* Transaction.begin()
      gateway.connections[0]?.close()
      const nested = yield* Effect.flip(transaction.inside(Transaction.begin()))
      assert.deepInclude(nested, { _tag: "TransactionClosed", transactionId: transaction.id })
      const error = yield* Effect.flip(transaction.invoke("filesystem.write", { path: "/a", content: "" }))
      assert.strictEqual(error._tag, "TransactionClosed")
      assert.include(error.message, "does not know the transaction")
      assert.deepStrictEqual(gateway.log().filter((line) => line.includes(".")), [])
    }).pipe(Effect.scoped, over(gateway))
  })
})
