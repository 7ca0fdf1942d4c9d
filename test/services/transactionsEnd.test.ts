import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { Approvals } from "../../src/services/Approvals.js"
import { Capabilities } from "../../src/services/Capabilities.js"
import { Transaction } from "../../src/services/Transaction.js"
import { type Asked, type ServerSide, settled } from "../support/scriptedGateway.js"
import { failure } from "./support.js"
import { features, nothing, otherwise, over, transactionGateway } from "./transactionsSupport.js"

const write = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.write", { path: "/a", content: "" }))

const drop = (_: Asked, server: ServerSide) => server.close()

const ignore = () => {}

/** Starts an effect, and gives what came of it after some time. */
const after = <A, E, R>(seconds: number, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(effect)
    for (let second = 0; second < seconds; second++) {
      yield* settled
      yield* TestClock.adjust("1 second")
    }
    yield* settled
    assert.isNotNull(fiber.unsafePoll(), "it still waits")
    return yield* fiber.await
  })

const tagOf = <A, E>(exit: Exit.Exit<A, E>) =>
  Exit.match(exit, {
    onFailure: (cause) => cause._tag === "Fail" && cause.error instanceof Error ? cause.error.name : cause._tag,
    onSuccess: () => "Success"
  })

describe("a commit", () => {
  it.scoped("is asked for again when its reply is lost", () => {
    const gateway = transactionGateway({ instead: otherwise("transaction.commit", drop, drop) })
    return Effect.gen(function*() {
      assert.strictEqual(tagOf(yield* after(10, Transaction.run(write))), "Success")
      assert.lengthOf(gateway.asked("transaction.commit"), 3)
    }).pipe(over(gateway))
  })

  it.scoped("tells what the gateway says then", () => {
    const gateway = transactionGateway({
      instead: otherwise(
        "transaction.commit",
        drop,
        ({ id }, server) =>
          server.answer(id, { success: false, error: { type: "TransactionClosed", message: "over" }, ...nothing })
      )
    })
    return Effect.gen(function*() {
      assert.strictEqual(tagOf(yield* after(10, Transaction.run(write))), "TransactionClosed")
    }).pipe(over(gateway))
  })

  it.scoped("is asked for again when the gateway puts it off", () => {
    const refuse = ({ id }: Asked, server: ServerSide) =>
      server.refuse(id, { code: -32000, message: "later", data: { retry_after_seconds: 2, limit: 1, window: "1s" } })
    const gateway = transactionGateway({ instead: otherwise("transaction.commit", refuse, refuse) })
    return Effect.gen(function*() {
      assert.strictEqual(tagOf(yield* after(5, Transaction.run(write))), "Success")
      assert.lengthOf(gateway.asked("transaction.commit"), 3)
    }).pipe(over(gateway))
  })

  it.scoped("has an unknown outcome where that cannot be learned, and nothing is compensated", () => {
    const gateway = transactionGateway({ instead: otherwise("transaction.commit", ignore, ignore, ignore) })
    return Effect.gen(function*() {
      let compensated = 0
      const { invoke } = yield* Capabilities
      const alert = invoke("alerts.send", { message: "!" }, { compensate: () => Effect.sync(() => compensated++) })
      assert.strictEqual(tagOf(yield* after(31, Transaction.run(alert))), "OutcomeUnknown")
      assert.strictEqual(compensated, 0)
    }).pipe(over(gateway))
  })

  it.scoped("that cannot even be sent is a failure of the connection, and what can be is compensated", () => {
    const gateway = transactionGateway({ later: "hang" })
    return Effect.gen(function*() {
      let compensated = 0
      const { invoke } = yield* Capabilities
      const alert = invoke("alerts.send", { message: "!" }, { compensate: () => Effect.sync(() => compensated++) })
      const { commit } = yield* Effect.tap(Transaction.begin(), (transaction) => transaction.inside(alert))
      gateway.connections[0]?.close()
      assert.strictEqual(tagOf(yield* after(61, commit)), "GatewayTimeout")
      assert.strictEqual(compensated, 1)
    }).pipe(over(gateway))
  })

  it.scoped("is not cut short by an interruption", () => {
    let commit: (() => void) | undefined
    const gateway = transactionGateway({
      instead: otherwise("transaction.commit", ({ id }, server) => {
        commit = () => server.answer(id, { success: true })
      })
    })
    return Effect.gen(function*() {
      const fiber = yield* Effect.fork(Transaction.run(write))
      yield* settled
      const interrupting = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* settled
      assert.isNull(interrupting.unsafePoll())
      commit?.()
      yield* Fiber.join(interrupting)
      assert.deepStrictEqual(gateway.log(), ["begin", "filesystem.write tx-1", "commit tx-1"])
    }).pipe(over(gateway))
  })
})

describe("a rollback", () => {
  it.scoped("takes no longer than a request, and says that nobody knows", () => {
    const gateway = transactionGateway({ instead: otherwise("transaction.rollback", ignore, ignore) })
    return Effect.gen(function*() {
      const failing = Transaction.run(Effect.zipRight(write, Effect.fail("no")))
      assert.strictEqual(tagOf(yield* after(31, failing)), "OutcomeUnknown")
      const empty = Transaction.run(Effect.fail(new Error("no")))
      assert.strictEqual(tagOf(yield* after(31, empty)), "Error")
    }).pipe(over(gateway))
  })

  it.scoped("is asked for again when its reply is lost", () => {
    const gateway = transactionGateway({ instead: otherwise("transaction.rollback", drop) })
    return Effect.gen(function*() {
      const failing = Transaction.run(Effect.zipRight(write, Effect.fail(new TypeError("no"))))
      assert.strictEqual(tagOf(yield* after(5, failing)), "TypeError")
    }).pipe(over(gateway))
  })
})

describe("a transaction that the gateway ends", () => {
  it.scoped("is cut off, and fails with the reason", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      for (
        const [number, reason, tag] of [
          [1, "timeout", "TransactionTimeout"],
          [2, "session_end", "TransactionClosed"],
          [3, "approval", "TransactionClosed"]
        ] as const
      ) {
        let finalized = false
        const fiber = yield* Effect.fork(Effect.flip(Transaction.run(
          Effect.zipRight(write, Effect.never).pipe(Effect.ensuring(Effect.sync(() => {
            finalized = true
          }))),
          { timeout: "5 minutes" }
        )))
        yield* settled
        gateway.end("tx-other", reason)
        yield* settled
        assert.isNull(fiber.unsafePoll())
        gateway.end(`tx-${number}`, reason)
        const error = yield* Fiber.join(fiber)
        assert.deepInclude(error, { _tag: tag, transactionId: `tx-${number}` })
        assert.isTrue(finalized)
        assert.include(gateway.log(), `rollback tx-${number}`)
      }
    }).pipe(over(gateway))
  })

  it.scoped("with its session is cut off when there is another session", () => {
    const gateway = transactionGateway({
      later: { ...features, session: { ...features.session, session_id: "session-2" } }
    })
    return Effect.gen(function*() {
      const fiber = yield* Effect.fork(Effect.flip(Transaction.run(Effect.zipRight(write, Effect.never))))
      yield* settled
      gateway.connections[0]?.close()
      yield* settled
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude(yield* Fiber.join(fiber), { _tag: "TransactionClosed", transactionId: "tx-1" })
    }).pipe(over(gateway))
  })

  it.scoped("is known before the answer to its begin has been read", () => {
    const gateway = transactionGateway({
      instead: otherwise("transaction.begin", ({ id }, server) => {
        server.answer(id, { transaction_id: "tx-early" })
        server.notify("notifications/kruxos/transaction_ended", { transaction_id: "tx-early", reason: "timeout" })
      })
    })
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Transaction.run(Effect.zipRight(write, Effect.never)))
      assert.include(["TransactionTimeout", "TransactionClosed"], error._tag)
    }).pipe(over(gateway))
  })

  it.scoped("takes no more steps, and is over for those inside it", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      const outer = yield* Transaction.begin()
      const inner = yield* outer.inside(Transaction.begin())
      gateway.end(outer.id, "timeout")
      yield* settled
      for (const transaction of [outer, inner]) {
        assert.propertyVal(yield* Effect.flip(transaction.inside(write)), "_tag", "TransactionClosed")
        assert.propertyVal(yield* Effect.flip(transaction.inside(Transaction.begin())), "_tag", "TransactionClosed")
      }
      assert.deepStrictEqual(gateway.log(), ["begin", "begin tx-1"])
    }).pipe(over(gateway))
  })

  it.scoped("cuts off what is done inside it, also where it was begun by hand", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      const outer = yield* Transaction.begin()
      const inner = yield* Effect.fork(
        Effect.flip(outer.inside(Transaction.run(Transaction.run(Effect.zipRight(write, Effect.never)))))
      )
      yield* settled
      for (const id of ["tx-3", "tx-2"]) gateway.end(id, "parent_end")
      gateway.end(outer.id, "timeout")
      yield* settled
      assert.deepInclude(yield* Fiber.join(inner), { _tag: "TransactionClosed", transactionId: "tx-2" })
    }).pipe(Effect.scoped, over(gateway))
  })

  it.scoped("by its timeout says so, however deep it is in others", () => {
    const gateway = transactionGateway()
    return Effect.gen(function*() {
      const outer = yield* Effect.fork(
        Effect.flip(Transaction.run(Transaction.run(Effect.zipRight(write, Effect.never))))
      )
      yield* settled
      gateway.end("tx-2", "parent_end")
      yield* settled
      gateway.end("tx-1", "timeout")
      yield* settled
      assert.deepInclude(yield* Fiber.join(outer), { _tag: "TransactionTimeout", transactionId: "tx-1" })
    }).pipe(over(gateway))
  })

  it.scoped("since a step was rejected fails with the rejection", () => {
    const gateway = transactionGateway({
      instead: ({ id, method }, server) => {
        if (method === "capabilities.invoke") {
          server.answer(id, failure({ type: "ApprovalPending", message: "wait", context: { request_id: "apr-1" } }))
        } else if (method === "approvals.check") {
          server.notify("notifications/kruxos/transaction_ended", { transaction_id: "tx-1", reason: "approval" })
          server.answer(id, { approval_id: "apr-1", capability: "filesystem.write", status: "rejected", reason: "no" })
        } else return false
        return true
      }
    })
    return Effect.gen(function*() {
      const error = yield* write.pipe(Approvals.awaitApproval(), Transaction.run, Effect.flip)
      assert.strictEqual(error._tag, "ApprovalRejected")
    }).pipe(over(gateway))
  })
})
