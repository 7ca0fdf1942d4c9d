import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import type { Session } from "../../../src/local/sessions/Session.js"
import { at, textAt } from "../../support/json.js"
import { type Approving, approving, errorType, eventually } from "./support.js"

const approve = { verdict: "approve", by: "supervisor" } as const

const reject = { verdict: "reject", by: "supervisor" } as const

/** A transaction of a gateway, in which a key of the state has been written. */
const begun = ({ call }: Approving, session: Session) =>
  Effect.gen(function*() {
    const transaction_id = textAt(yield* call(session, "transaction.begin", {}), "transaction_id")
    const invoke = (capability: string, given: object, more: object = { transaction_id }) =>
      call(session, "capabilities.invoke", { capability, arguments: given, ...more })
    yield* invoke("state.persistent.set", { key: "k", value: "written" })
    return {
      transaction_id,
      invoke,
      kept: Effect.map(invoke("state.persistent.get", { key: "k" }, {}), (answer) => at(answer, "data", "found")),
      commit: call(session, "transaction.commit", { transaction_id })
    }
  })

describe("a transaction with a step that needs approval", () => {
  it.scoped("waits for it without using up its time, and commits it with the others", () =>
    Effect.gen(function*() {
      const gateway = yield* approving()
      const { ask, queue, ran, run, sessionOf, settled } = gateway
      const session = yield* sessionOf("one")
      const { commit, kept, transaction_id } = yield* begun(gateway, session)
      const id = yield* ask(session, "a", { transaction_id })
      yield* TestClock.adjust("1 hour")
      yield* queue.decide(id, approve)
      assert.strictEqual(yield* settled(id), "approved")
      assert.deepStrictEqual(ran, ["a"])
      assert.deepStrictEqual(yield* run(session, "a", { transaction_id }), { success: true, data: { text: "a, done" } })
      assert.isFalse(yield* kept)
      assert.deepInclude(yield* commit, { success: true })
      assert.isTrue(yield* kept)
    }))

  const refused = (refuse: (gateway: Approving, approvalId: string) => Effect.Effect<unknown, unknown>) =>
    Effect.gen(function*() {
      const gateway = yield* approving()
      const { ask, ran, run, sessionOf, settled } = gateway
      const session = yield* sessionOf("one")
      const { commit, kept, transaction_id } = yield* begun(gateway, session)
      const ids = yield* Effect.forEach(["a", "b"], (text) => ask(session, text, { transaction_id }))
      const held = yield* Effect.fork(run(session, "b", { transaction_id, hold_seconds: 86_400 }))
      // Until it is held.
      yield* TestClock.adjust("1 second")
      yield* refuse(gateway, ids[0] ?? "")
      const statuses = yield* Effect.forEach(ids, settled)
      assert.strictEqual(errorType(yield* Fiber.join(held)), "ApprovalExpired")
      yield* eventually(run(session, "c", { transaction_id }), (answer) => errorType(answer) === "TransactionClosed")
      assert.deepInclude(yield* commit, { success: false })
      assert.isFalse(yield* kept)
      assert.deepStrictEqual(ran, [])
      return statuses
    })

  it.scoped("is rolled back when it is rejected", () =>
    Effect.gen(function*() {
      const statuses = yield* refused(({ queue }, id) => queue.decide(id, reject))
      assert.deepStrictEqual(statuses, ["rejected", "withdrawn"])
    }))

  it.scoped("is rolled back when nobody decides", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* refused(() => TestClock.adjust("24 hours")), ["expired", "expired"])
    }), 60_000)

  it.scoped("withdraws its request when it ends", () =>
    Effect.gen(function*() {
      const gateway = yield* approving()
      const { ask, call, queue, sessionOf, settled } = gateway
      const session = yield* sessionOf("one")
      const { transaction_id } = yield* begun(gateway, session)
      const id = yield* ask(session, "a", { transaction_id, idempotency_key: "k" })
      yield* call(session, "transaction.rollback", { transaction_id })
      assert.strictEqual(yield* settled(id), "withdrawn")
      assert.strictEqual((yield* Effect.flip(queue.decide(id, approve)))._tag, "ApprovalDecided")
      // The whole can be tried again with the same key.
      const again = yield* begun(gateway, session)
      const next = yield* ask(session, "a", { transaction_id: again.transaction_id, idempotency_key: "k" })
      assert.notStrictEqual(next, id)
    }))
})
