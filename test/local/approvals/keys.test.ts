import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { textAt } from "../../support/json.js"
import { temporaryDatabase, withStore } from "../store/support.js"
import { approving } from "./support.js"

const approve = { verdict: "approve", by: "supervisor" } as const

describe("the key of an invocation that waits for approval", () => {
  it.scoped("answers with its request as long as that is pending, whatever the policy says by then", () =>
    Effect.gen(function*() {
      const { ask, call, decree, queue, ran, run, sessionOf, settled } = yield* approving()
      const session = yield* sessionOf("one")
      const key = { idempotency_key: "k" }
      const id = yield* ask(session, "a", key)
      for (const tier of ["autonomous", "notify"] as const) {
        decree(tier)
        assert.strictEqual(yield* ask(session, "a", key), id, tier)
        assert.strictEqual(textAt(yield* call(session, "capabilities.outcome", key), "status"), "done", tier)
      }
      decree("autonomous")
      assert.deepStrictEqual(ran, [])
      yield* queue.decide(id, approve)
      assert.strictEqual(yield* settled(id), "approved")
      const outcome = { success: true, data: { text: "a, done" } }
      assert.deepStrictEqual(yield* run(session, "a", key), outcome)
      assert.deepStrictEqual(yield* call(session, "capabilities.outcome", key), { status: "done", result: outcome })
      assert.deepStrictEqual(ran, ["a"])
    }))

  it.scoped("tells the same story as its request, also where a gateway was killed between the notes of what came of it", () =>
    Effect.gen(function*() {
      const database = yield* temporaryDatabase
      const key = { idempotency_key: "k" }
      yield* Effect.scoped(Effect.gen(function*() {
        const { ask, sessionOf } = yield* approving({ database })
        yield* ask(yield* sessionOf("one"), "a", key)
      }))
      const result = { success: true, data: { text: "a, done" } }
      yield* withStore(database)(
        Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql`UPDATE approvals SET status = 'approved', result = ${JSON.stringify(result)}`
        )
      )
      const { call, ran, run, sessionOf } = yield* approving({ database })
      const session = yield* sessionOf("one")
      assert.deepStrictEqual(yield* call(session, "capabilities.outcome", key), { status: "done", result })
      assert.deepStrictEqual(yield* run(session, "a", key), result)
      assert.deepStrictEqual(ran, [])
    }))
})
