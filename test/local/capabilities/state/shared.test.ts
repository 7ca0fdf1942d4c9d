import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { at } from "../../../support/json.js"
import { temporaryDatabase } from "../../store/support.js"
import { stateGateway, type TestSession } from "./support.js"

const versionOf = (session: TestSession, key: string) =>
  Effect.map(session.output("state.shared.get", { key }), (found) => Number(at(found, "version")))

/** Adds one, and begins again as long as somebody else was faster; says how often. */
const increment = (session: TestSession, key: string) =>
  Effect.gen(function*() {
    for (let conflicts = 0;; conflicts++) {
      const found = yield* session.output("state.shared.get", { key })
      const value = at(found, "found") === true ? Number(at(found, "value")) : 0
      const answer = yield* session.invoke("state.shared.set", {
        key,
        value: value + 1,
        expected_version: at(found, "version")
      })
      if (at(answer, "success") === true) return conflicts
      assert.strictEqual(at(answer, "error", "type"), "VersionConflict")
      yield* Effect.yieldNow()
    }
  })

describe("state.shared", () => {
  it.scoped("is one for all agents, and belongs to the one that created it", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      const two = yield* gateway.session("two")
      assert.deepStrictEqual(yield* one.output("state.shared.get", { key: "k" }), { found: false, version: 0 })
      assert.deepStrictEqual(yield* one.output("state.shared.set", { key: "k", value: [1], expected_version: 0 }), {
        version: 1
      })
      yield* TestClock.adjust("1 second")
      yield* two.output("state.shared.set", { key: "k", value: [2], expected_version: 1 })
      assert.deepStrictEqual(yield* one.output("state.shared.get", { key: "k" }), {
        found: true,
        value: [2],
        version: 2,
        owner_agent: "one",
        updated_at: "2026-01-01T00:00:01.000Z"
      })
      assert.deepStrictEqual(yield* two.output("state.shared.list", { prefix: "k" }), {
        entries: [
          { key: "k", version: 2, size_bytes: 3, owner_agent: "one", updated_at: "2026-01-01T00:00:01.000Z" }
        ],
        count: 1,
        total_size_bytes: 3
      })
      assert.deepStrictEqual(yield* two.output("state.persistent.list"), { entries: [], count: 0, total_size_bytes: 0 })
    }))

  it.scoped("lets nobody overwrite what they have not seen", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      const set = (value: number, expected_version: number) => ({ key: "k", value, expected_version })
      for (const [expected, actual] of [[1, 0], [7, 0]] as const) {
        assert.deepNestedInclude(yield* one.error("state.shared.set", set(0, expected)), {
          type: "VersionConflict",
          "context.expected_version": expected,
          "context.actual_version": actual,
          "context.resource": "k"
        })
      }
      yield* one.output("state.shared.set", set(1, 0))
      yield* one.output("state.shared.set", set(2, 1))
      for (const expected of [0, 1, 3]) {
        assert.deepNestedInclude(yield* one.error("state.shared.set", set(3, expected)), {
          type: "VersionConflict",
          "context.actual_version": 2
        })
      }
      assert.deepStrictEqual(yield* one.output("state.shared.delete", { key: "k" }), { deleted: true })
      assert.deepInclude(yield* one.error("state.shared.delete", { key: "k" }), { type: "KeyNotFound" })
      // Who has seen an earlier life of the key does not overwrite the next.
      assert.deepNestedInclude(yield* one.error("state.shared.set", set(3, 2)), { "context.actual_version": 0 })
      assert.deepStrictEqual(yield* (yield* gateway.session("two")).output("state.shared.set", set(3, 0)), {
        version: 3
      })
      assert.strictEqual(at(yield* one.output("state.shared.get", { key: "k" }), "owner_agent"), "two")
    }))

  it.scoped("has one quota for all", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway({ store: { sharedState: { quotaBytes: 20 } } })
      const one = yield* gateway.session("one")
      const two = yield* gateway.session("two")
      yield* one.output("state.shared.set", { key: "k", value: "12345678901234", expected_version: 0 })
      assert.deepNestedInclude(yield* two.error("state.shared.set", { key: "l", value: "12", expected_version: 0 }), {
        type: "QuotaExceeded",
        "context.used": 17,
        "context.limit": 20
      })
      assert.strictEqual(yield* versionOf(two, "l"), 0)
      yield* two.output("state.shared.delete", { key: "k" })
      yield* two.output("state.shared.set", { key: "l", value: "12", expected_version: 0 })
    }))

  it.scoped("counts right when several gateways on one data directory count at a time", () =>
    Effect.gen(function*() {
      const database = yield* temporaryDatabase
      const gateways = yield* Effect.all([stateGateway({ database }), stateGateway({ database })])
      const sessions = yield* Effect.forEach(
        [0, 1, 0, 1],
        (gateway, index) => gateways[gateway]?.session(`agent-${index}`) ?? Effect.dieMessage("no such gateway")
      )
      const conflicts = yield* Effect.forEach(
        sessions,
        (session) => Effect.all(Array.from({ length: 25 }, () => increment(session, "counter"))),
        { concurrency: "unbounded" }
      )
      assert.isAbove(conflicts.flat().reduce((sum, count) => sum + count, 0), 0)
      for (const session of sessions) {
        const found = yield* session.output("state.shared.get", { key: "counter" })
        assert.deepInclude(found, { value: 100, version: 100 })
      }
    }))
})
