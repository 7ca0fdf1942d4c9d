import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Store from "../../../src/local/store/Store.js"
import { Transactions } from "../../../src/local/store/Transactions.js"
import { temporaryDatabase, withStore } from "./support.js"

const inMemory = Effect.provide(Store.layer({ filename: ":memory:" }))

const transaction = (transactionId: string, parent?: string) => ({
  transactionId,
  agent: "one",
  sessionId: "ses",
  workspace: "/w",
  parent
})

const newStep = (transactionId: string, path: string) => ({
  transactionId,
  capability: "filesystem.write",
  arguments: { path },
  kind: "undoable" as const,
  source: "ses",
  before: { path, text: "NUL \0 and ∞", kept: `kept-1-"∞"` }
})

const statusOf = (transactions: Transactions["Type"], id: string, agent = "one") =>
  Effect.map(transactions.find(agent, id), Option.map(({ status }) => status))

describe("the store's transactions", () => {
  it.effect("have a journal whose numbers grow over all of them", () =>
    inMemory(Effect.gen(function*() {
      const transactions = yield* Transactions
      for (const id of ["t1", "t2"]) yield* transactions.begin(transaction(id))
      for (const id of ["t1", "t2", "t1"]) yield* transactions.beginStep(newStep(id, id))
      yield* transactions.endStep(1, { status: "done", after: { size: 3 } })
      yield* transactions.endStep(3, {
        status: "conflict",
        conflicts: [{ capability: "c", resource: "r", savedAs: "s" }]
      })
      const steps = yield* transactions.steps(["t1", "t2"])
      assert.deepStrictEqual(steps.map(({ status, stepNumber }) => [stepNumber, status]), [
        [3, "conflict"],
        [2, "running"],
        [1, "done"]
      ])
      assert.deepStrictEqual(steps[0]?.conflicts, Option.some([{ capability: "c", resource: "r", savedAs: "s" }]))
      assert.deepStrictEqual(steps[2]?.after, Option.some({ size: 3 }))
      assert.deepStrictEqual(steps[2]?.before, Option.some(newStep("t1", "t1").before))
      assert.deepStrictEqual(yield* transactions.steps([]), [])
      assert.isTrue(yield* transactions.isKept(`kept-1-"∞"`))
      assert.isFalse(yield* transactions.isKept("nothing of that name"))
    })))

  it.effect("hand their steps over where a savepoint is committed, unless what goes along with it fails", () =>
    inMemory(Effect.gen(function*() {
      const transactions = yield* Transactions
      yield* transactions.begin(transaction("t1"))
      yield* transactions.begin(transaction("t2", "t1"))
      yield* transactions.beginStep(newStep("t2", "a"))
      assert.strictEqual(yield* Effect.flip(transactions.merge("t2", "t1", Effect.fail("no"))), "no")
      assert.lengthOf(yield* transactions.steps(["t1"]), 0)
      assert.deepStrictEqual(yield* statusOf(transactions, "t2"), Option.some("open"))
      yield* transactions.merge("t2", "t1", Effect.void)
      assert.lengthOf(yield* transactions.steps(["t1"]), 1)
      assert.deepStrictEqual(yield* statusOf(transactions, "t2"), Option.some("committed"))
    })))

  it.effect("that have ended are known for 24 hours, to their agent, and are swept then", () =>
    inMemory(Effect.gen(function*() {
      const transactions = yield* Transactions
      for (const id of ["open", "committed", "lost"]) yield* transactions.begin(transaction(id))
      yield* transactions.commit("committed")
      yield* transactions.beginStep(newStep("lost", "a"))
      yield* transactions.rollback([{ transactionId: "lost", result: { why: "because" } }])
      assert.lengthOf(yield* transactions.steps(["lost"]), 0)
      assert.isTrue(Option.isNone(yield* statusOf(transactions, "lost", "two")))
      yield* TestClock.adjust("86399999 millis")
      yield* transactions.sweep
      for (const id of ["open", "committed"]) assert.isTrue(Option.isSome(yield* transactions.find("one", id)))
      const lost = Option.getOrThrow(yield* transactions.find("one", "lost"))
      assert.deepStrictEqual(lost.result, Option.some({ why: "because" }))
      yield* TestClock.adjust("1 millis")
      for (const sweep of [Effect.void, transactions.sweep]) {
        yield* sweep
        assert.deepStrictEqual(yield* statusOf(transactions, "open"), Option.some("open"))
        for (const id of ["committed", "lost"]) assert.isTrue(Option.isNone(yield* transactions.find("one", id)))
      }
    })))

  it.scoped("of a gateway that has stopped are taken over once, and what a living one has is left alone", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      yield* withStore(filename)(Effect.gen(function*() {
        const transactions = yield* Transactions
        for (const id of ["t1", "t2", "t3"]) yield* transactions.begin(transaction(id))
        yield* transactions.end(["t2"])
        yield* transactions.beginStep(newStep("t3", "a"))
        yield* transactions.commit("t3")
        assert.lengthOf(yield* transactions.takeOver(["t2"]), 0)
        yield* withStore(filename)(
          Effect.flatMap(Transactions, (other) =>
            Effect.gen(function*() {
              assert.lengthOf(yield* other.takeOver([]), 0)
              assert.lengthOf(yield* other.committedWithSteps, 0)
            }))
        )
      }))
      yield* withStore(filename)(Effect.gen(function*() {
        const transactions = yield* Transactions
        const ids = (yield* transactions.takeOver([])).map(({ transactionId }) => transactionId)
        assert.sameMembers(ids, ["t1", "t2"])
        // Until it is done with them.
        assert.lengthOf(yield* transactions.takeOver([]), 2)
        assert.lengthOf(yield* transactions.takeOver(ids), 0)
        assert.deepStrictEqual(
          (yield* transactions.committedWithSteps).map(({ transactionId }) => transactionId),
          ["t3"]
        )
        yield* transactions.forgetSteps("t3")
        assert.lengthOf(yield* transactions.committedWithSteps, 0)
      }))
    }))
})
