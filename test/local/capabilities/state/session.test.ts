import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { builtIn } from "../../../../src/catalogue/builtIn.js"
import * as Policy from "../../../../src/local/policy/Policy.js"
import { at, textAt } from "../../../support/json.js"
import { settle, stateGateway } from "./support.js"

const open = Policy.catalogueTiers(Object.values(builtIn))

describe("state.session", () => {
  it.scoped("keeps values of all kinds of JSON until the session ends, for itself alone", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      const same = yield* gateway.session("one")
      const values = [null, 0, -1.5, "", "text", false, [], {}, [{ a: [null, { b: "ü\u0000" }] }], { found: true }]
      for (const [index, value] of values.entries()) {
        assert.deepStrictEqual(yield* one.output("state.session.set", { key: `v.${index}`, value }), {
          overwritten: false
        })
        assert.deepStrictEqual(yield* one.output("state.session.get", { key: `v.${index}` }), { value, found: true })
      }
      assert.deepStrictEqual(yield* same.output("state.session.get", { key: "v.0" }), { found: false })
      assert.deepStrictEqual(yield* one.output("state.session.set", { key: "v.0", value: 1 }), {
        previous_value: null,
        overwritten: true
      })
      assert.deepStrictEqual(yield* one.output("state.session.delete", { key: "v.0" }), {
        previous_value: 1,
        deleted: true
      })
      assert.deepStrictEqual(yield* one.output("state.session.delete", { key: "v.0" }), { deleted: false })
      assert.deepStrictEqual(yield* one.output("state.session.clear"), { removed_count: values.length - 1 })
      assert.deepStrictEqual(yield* one.output("state.session.list"), { keys: [], count: 0 })
    }))

  it.scoped("lists keys by their beginning, in the order of their bytes", () =>
    Effect.gen(function*() {
      const one = yield* (yield* stateGateway()).session("one")
      const keys = ["a", "A", "a.b", "a%", "a_", "ab", "ä", "\u{ffff}", "\u{10000}", "b"]
      for (const key of keys) yield* one.output("state.session.set", { key, value: 1 })
      assert.deepStrictEqual(yield* one.output("state.session.list"), {
        keys: ["A", "a", "a%", "a.b", "a_", "ab", "b", "ä", "\u{ffff}", "\u{10000}"],
        count: 10
      })
      assert.deepStrictEqual(yield* one.output("state.session.list", { prefix: "a_" }), { keys: ["a_"], count: 1 })
    }))

  it.scoped("has a quota of bytes of keys and values, and says what is used of it", () =>
    Effect.gen(function*() {
      const one = yield* (yield* stateGateway({ sessionState: { quotaBytes: 20, maximumKeys: 3 } })).session("one")
      // 2 bytes of the key, 12 of the value.
      yield* one.output("state.session.set", { key: "ä", value: "123456789ä".slice(0, 9) + "a" })
      assert.deepNestedInclude(yield* one.output("agent.session"), {
        "state_quota.used_bytes": 14,
        "state_quota.limit_bytes": 20,
        "state_quota.percent": 70
      })
      const refused = yield* one.error("state.session.set", { key: "b", value: "1234" })
      assert.deepNestedInclude(refused, { type: "QuotaExceeded", "context.used": 14, "context.limit": 20 })
      assert.deepStrictEqual(yield* one.output("state.session.get", { key: "b" }), { found: false })
      yield* one.output("state.session.set", { key: "b", value: 1234 })
      yield* one.output("state.session.set", { key: "ä", value: 1 })
      yield* one.output("state.session.set", { key: "c", value: 1 })
      assert.strictEqual(at(yield* one.error("state.session.set", { key: "d", value: 1 }), "type"), "ResourceExhausted")
      yield* one.output("state.session.clear")
      assert.strictEqual(at(yield* one.output("agent.session"), "state_quota", "used_bytes"), 0)
    }))

  it.scoped("shares one amount of memory among all sessions, and gives it back at their end", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway({ sessionState: { totalBytes: 100 } })
      const one = yield* gateway.session("one")
      const two = yield* gateway.session("two")
      yield* one.output("state.session.set", { key: "key", value: "x".repeat(80) })
      const input = { key: "key", value: "x".repeat(20) }
      assert.strictEqual(at(yield* two.error("state.session.set", input), "type"), "ResourceExhausted")
      yield* one.end
      yield* two.output("state.session.set", input)
    }))

  it.scoped("forgets what a session has not touched for a day", () =>
    Effect.gen(function*() {
      const one = yield* (yield* stateGateway()).session("one")
      yield* one.output("state.session.set", { key: "key", value: 1 })
      yield* TestClock.adjust("24 hours")
      assert.deepStrictEqual(yield* one.output("state.session.get", { key: "key" }), { found: true, value: 1 })
      yield* TestClock.adjust("24 hours")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* one.output("state.session.get", { key: "key" }), { found: false })
      assert.strictEqual(at(yield* one.output("agent.session"), "state_quota", "used_bytes"), 0)
    }))

  it.scoped("gives the memory of what nobody has touched for a day to whoever needs it", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway({ sessionState: { totalBytes: 100 } })
      const one = yield* gateway.session("one")
      const two = yield* gateway.session("two")
      yield* one.output("state.session.set", { key: "key", value: "x".repeat(80) })
      yield* TestClock.adjust("24 hours")
      const input = { key: "key", value: "x".repeat(20) }
      assert.strictEqual(at(yield* two.error("state.session.set", input), "type"), "ResourceExhausted")
      yield* TestClock.adjust("1 second")
      yield* two.output("state.session.set", input)
      assert.deepStrictEqual(yield* one.output("state.session.get", { key: "key" }), { found: false })
    }))

  it.scoped("is in no reach of what was approved, which runs outside of the session", () =>
    Effect.gen(function*() {
      const needing = new Set(["state.session.set", "state.shared.watch"])
      const policy: Policy.PolicyService = {
        ...open,
        decide: (agent, capability, input, now) =>
          needing.has(capability.name)
            ? { tier: "approval_required", rule: "test:ask", reason: undefined }
            : open.decide(agent, capability, input, now)
      }
      const gateway = yield* stateGateway({ policy })
      const one = yield* gateway.session("one")
      for (
        const [capability, input, type] of [
          ["state.session.set", { key: "k", value: 1 }, "SessionNotFound"],
          ["state.shared.watch", {}, "SubscriptionFailed"]
        ] as const
      ) {
        const id = textAt(yield* one.error(capability, input), "context", "approval_id")
        yield* gateway.approve(id)
        yield* settle
        const checked = yield* one.call("approvals.check", { approval_id: id })
        assert.strictEqual(at(checked, "result", "error", "type"), type)
      }
      assert.deepStrictEqual(yield* one.output("state.session.list"), { keys: [], count: 0 })
    }))
})
