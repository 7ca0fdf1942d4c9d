import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { at } from "../../support/json.js"
import { temporaryDatabase, withStore } from "../store/support.js"
import { approving, errorType } from "./support.js"

describe("an approved invocation whose gateway was killed", () => {
  it.scoped("runs if it had not begun; if it had, and cannot be checked, nobody knows", () =>
    Effect.gen(function*() {
      const database = yield* temporaryDatabase
      const ids = yield* Effect.scoped(Effect.gen(function*() {
        const { ask, sessionOf } = yield* approving({ database })
        const session = yield* sessionOf("one")
        return {
          notBegun: yield* ask(session, "not begun", { idempotency_key: "1" }),
          begun: yield* ask(session, "begun", { idempotency_key: "2" }),
          pending: yield* ask(session, "pending", { idempotency_key: "3" })
        }
      }))
      // As a gateway leaves them that is killed right before their handlers begin, and right after.
      const killed = (id: string, beganAt: number | null) =>
        Effect.flatMap(SqlClient.SqlClient, (sql) =>
          sql`UPDATE approvals SET status = 'running', decided_at = 1, decided_by = 'supervisor', began_at = ${beganAt},
            owner = '2147483647/1/gone' WHERE approval_id = ${id}`)
      yield* withStore(database)(Effect.zipRight(killed(ids.notBegun, null), killed(ids.begun, 1)))

      for (let start = 0; start < 2; start++) {
        yield* Effect.scoped(Effect.gen(function*() {
          const { call, queue, ran, run, sessionOf, settled } = yield* approving({ database })
          const session = yield* sessionOf("one")
          assert.strictEqual(yield* settled(ids.notBegun), "approved")
          assert.strictEqual(yield* settled(ids.begun), "approved")
          assert.deepStrictEqual(ran, start === 0 ? ["not begun"] : [])
          const checked = yield* call(session, "approvals.check", { approval_id: ids.begun })
          assert.strictEqual(errorType(at(checked, "result")), "OutcomeUnknown")
          assert.strictEqual(errorType(yield* run(session, "begun", { idempotency_key: "2" })), "OutcomeUnknown")
          assert.deepInclude(yield* run(session, "not begun", { idempotency_key: "1" }), { success: true })
          assert.strictEqual((yield* queue.get(ids.pending)).status, "pending")
        }))
      }
    }))
})
