import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { at } from "../../support/json.js"
import { temporaryDatabase, withStore } from "../store/support.js"
import { asking } from "./inTransactions.js"
import { eventually } from "./support.js"

const approve = { verdict: "approve", by: "supervisor" } as const

const reject = { verdict: "reject", by: "supervisor" } as const

const one = { transactionId: "tx-1" }

const two = { transactionId: "tx-2" }

const errorOf = (record: { readonly result: Option.Option<unknown> }) =>
  at(Option.getOrUndefined(record.result), "error", "type")

describe("a step of a transaction that needs approval", () => {
  it.scoped("is carried out in its transaction and in its session, and its result is for that transaction alone", () =>
    Effect.gen(function*() {
      const { ask, idOf, open, queue, ran, settled, transactions } = yield* asking()
      const session = yield* open
      const id = yield* idOf(session, "a", { ...one, isCompensated: true })
      assert.deepStrictEqual(transactions.told, ["waits tx-1"])
      assert.deepStrictEqual((yield* queue.get(id)).transactionId, Option.some("tx-1"))
      yield* queue.decide(id, approve)
      assert.strictEqual(yield* settled(id), "approved")
      assert.deepStrictEqual(transactions.told, ["waits tx-1", "goesOn tx-1"])
      assert.deepInclude(transactions.steps[0], {
        transactionId: "tx-1",
        input: { text: "a" },
        idempotencyKey: undefined,
        isCompensated: true
      })
      assert.strictEqual(transactions.steps[0]?.capability.name, "test.run")
      assert.strictEqual(ran[0]?.sessionId, session.id)
      assert.strictEqual(ran[0]?.sessionScope, session.scope)
      assert.isUndefined(ran[0]?.approvalId)
      const [other, none] = [yield* idOf(session, "a", two), yield* idOf(session, "a")]
      assert.strictEqual(new Set([id, other, none]).size, 3)
      assert.deepStrictEqual(yield* ask(session, "a", one), { text: "a, done" })
      assert.notStrictEqual(yield* idOf(session, "a", one), id)
    }))

  it.scoped("is one request with an equal one of the same transaction only, also with a key", () =>
    Effect.gen(function*() {
      const { idOf, open, transactions } = yield* asking()
      const session = yield* open
      for (const key of [undefined, "k"]) {
        const [first, again, other, none] = yield* Effect.forEach(
          [one, one, two, {}],
          (transaction) => idOf(session, "a", { ...transaction, idempotencyKey: key })
        )
        assert.strictEqual(first, again)
        assert.strictEqual(new Set([first, other, none]).size, 3)
      }
      assert.isFalse(transactions.told.some((told) => !told.startsWith("waits")))
    }))

  it.scoped("reaches the state of the session", () =>
    Effect.gen(function*() {
      const { idOf, open, queue, settled } = yield* asking()
      const session = yield* open
      const set = (value: string, more: object) =>
        Effect.gen(function*() {
          const id = yield* idOf(session, "", {
            capability: "state.session.set",
            input: { key: "k", value },
            ...more
          })
          yield* queue.decide(id, approve)
          yield* settled(id)
          return Option.getOrUndefined((yield* queue.get(id)).result)
        })
      assert.deepStrictEqual(yield* set("x", one), { success: true, data: { overwritten: false } })
      assert.deepStrictEqual(yield* set("y", one), {
        success: true,
        data: { overwritten: true, previous_value: "x" }
      })
      assert.strictEqual(at(yield* set("z", {}), "error", "type"), "SessionNotFound")
    }))

  it.scoped("rolls its transaction back when it is rejected or expires, which withdraws what else waits there", () =>
    Effect.gen(function*() {
      const { idOf, open, queue, ran, settled, transactions } = yield* asking()
      const session = yield* open
      const ids = yield* Effect.forEach(["a", "b"], (text) => idOf(session, text, one))
      const bystander = yield* idOf(session, "a", two)
      const told: Array<string> = []
      yield* queue.onResolved(({ status }) => void told.push(status))
      yield* queue.decide(ids[0] ?? "", reject)
      assert.deepStrictEqual(yield* Effect.forEach(ids, settled), ["rejected", "withdrawn"])
      const withdrawn = yield* queue.get(ids[1] ?? "")
      assert.deepStrictEqual(withdrawn.decidedBy, Option.some("transaction"))
      assert.deepStrictEqual(told, ["withdrawn", "rejected"])
      assert.deepStrictEqual(transactions.told.slice(3), ["refused tx-1", "goesOn tx-1"])
      assert.strictEqual((yield* queue.get(bystander)).status, "pending")
      yield* TestClock.adjust("25 hours")
      assert.strictEqual(yield* settled(bystander), "expired")
      yield* eventually(Effect.sync(() => transactions.told.at(-1)), (last) => last === "refused tx-2")
      assert.deepStrictEqual(ran, [])
    }))

  it.scoped("that its agent takes back leaves the transaction as it is", () =>
    Effect.gen(function*() {
      const { idOf, open, queue, transactions } = yield* asking()
      const id = yield* idOf(yield* open, "a", one)
      assert.strictEqual((yield* queue.withdraw("one", id)).status, "withdrawn")
      assert.deepStrictEqual(transactions.told, ["waits tx-1", "goesOn tx-1"])
    }))

  it.scoped("is withdrawn when its transaction ends, and nothing waits in one that has ended meanwhile", () =>
    Effect.gen(function*() {
      const { ask, idOf, open, queue, settled, transactions } = yield* asking()
      const session = yield* open
      const id = yield* idOf(session, "a", one)
      const stays = yield* idOf(session, "a")
      yield* transactions.end("tx-1")
      assert.strictEqual(yield* settled(id), "withdrawn")
      assert.strictEqual((yield* queue.get(stays)).status, "pending")
      assert.strictEqual((yield* Effect.flip(queue.decide(id, approve)))._tag, "ApprovalDecided")
      // It begins to end between the request and the moment that it knows of it.
      transactions.onWaits = transactions.end("tx-2")
      assert.deepInclude(yield* Effect.flip(ask(session, "a", two)), {
        _tag: "TransactionClosed",
        transactionId: "tx-2"
      })
      const { approvals } = yield* queue.list({ status: "pending" })
      assert.deepStrictEqual(approvals.map(({ approvalId }) => approvalId), [stays])
    }))

  it.scoped("that is decided before its transaction knows that it waits does not keep it waiting", () =>
    Effect.gen(function*() {
      const { ask, inStore, open, transactions } = yield* asking()
      const session = yield* open
      transactions.onWaits = inStore(
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql`UPDATE approvals SET status = 'rejected'`)
      ).pipe(Effect.orDie)
      assert.strictEqual((yield* Effect.flip(ask(session, "a", one)))._tag, "ApprovalRejected")
      assert.deepStrictEqual(transactions.told, ["waits tx-1", "goesOn tx-1"])
    }))

  it.scoped("fails when its transaction or its session is over by the time that it is carried out", () =>
    Effect.gen(function*() {
      const { idOf, open, queue, ran, settled, transactions } = yield* asking()
      const scope = yield* Scope.make()
      const brief = yield* idOf(yield* Scope.extend(open, scope), "a", one)
      yield* Scope.close(scope, Exit.void)
      yield* queue.decide(brief, approve)
      assert.strictEqual(yield* settled(brief), "approved")
      assert.strictEqual(errorOf(yield* queue.get(brief)), "TransactionClosed")
      const late = yield* idOf(yield* open, "a", two)
      yield* queue.decide(late, approve)
      yield* transactions.end("tx-2")
      assert.strictEqual(yield* settled(late), "approved")
      assert.strictEqual(errorOf(yield* queue.get(late)), "TransactionClosed")
      assert.deepStrictEqual(ran, [])
    }))

  it.scoped("is not run again by the gateway after the one that had its transaction", () =>
    Effect.gen(function*() {
      const database = yield* temporaryDatabase
      const ids = yield* Effect.scoped(Effect.gen(function*() {
        const { idOf, open } = yield* asking({ database })
        const session = yield* open
        return {
          begun: yield* idOf(session, "begun", one),
          notBegun: yield* idOf(session, "not begun", one),
          pending: yield* idOf(session, "pending", one),
          plain: yield* idOf(session, "plain")
        }
      }))
      const gone = "2147483647/1/gone"
      const killed = (id: string, beganAt: number | null) =>
        Effect.flatMap(SqlClient.SqlClient, (sql) =>
          sql`UPDATE approvals SET status = 'running', began_at = ${beganAt}, owner = ${gone} WHERE approval_id = ${id}`)
      yield* withStore(database)(Effect.zipRight(
        Effect.zipRight(killed(ids.begun, 1), killed(ids.notBegun, null)),
        Effect.flatMap(SqlClient.SqlClient, (sql) =>
          sql`UPDATE approvals SET owner = ${gone} WHERE approval_id = ${ids.pending}`)
      ))
      const { queue, ran, settled } = yield* asking({ database })
      for (const id of [ids.begun, ids.notBegun]) {
        assert.strictEqual(yield* settled(id), "approved")
        assert.strictEqual(errorOf(yield* queue.get(id)), "TransactionClosed")
      }
      assert.strictEqual((yield* queue.get(ids.pending)).status, "withdrawn")
      assert.strictEqual((yield* queue.get(ids.plain)).status, "pending")
      assert.deepStrictEqual(ran, [])
    }))

  it.scoped("is decided at the gateway that has its transaction, and does not keep another one busy", () =>
    Effect.gen(function*() {
      const database = yield* temporaryDatabase
      const here = yield* asking({ database })
      const there = yield* asking({ database })
      const id = yield* here.idOf(yield* here.open, "a", one)
      assert.strictEqual((yield* Effect.flip(there.queue.decide(id, approve)))._tag, "ServiceUnavailable")
      assert.strictEqual((yield* here.queue.get(id)).status, "pending")
      yield* here.queue.decide(id, approve)
      assert.strictEqual(yield* here.settled(id), "approved")
      assert.strictEqual(here.ran.length, 1)
    }))

  it.scoped("that is cut off when the gateway stops is over with its transaction", () =>
    Effect.gen(function*() {
      const database = yield* temporaryDatabase
      const id = yield* Effect.scoped(Effect.gen(function*() {
        const { idOf, open, queue, ran } = yield* asking({ database, gate: Effect.never })
        const made = yield* idOf(yield* open, "a", one)
        yield* queue.decide(made, approve)
        yield* eventually(Effect.sync(() => ran.length), (length) => length === 1)
        return made
      }))
      const { queue } = yield* asking({ database })
      const record = yield* queue.get(id)
      assert.strictEqual(record.status, "approved")
      assert.strictEqual(errorOf(record), "TransactionClosed")
    }))
})
