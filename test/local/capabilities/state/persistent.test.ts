import { assert, describe, it } from "@effect/vitest"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { PersistentState } from "../../../../src/local/store/PersistentState.js"
import { at, listAt } from "../../../support/json.js"
import { temporaryDatabase } from "../../store/support.js"
import { stateGateway } from "./support.js"

const time = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`

const start = Date.UTC(2026, 0, 1)

describe("state.persistent", () => {
  it.scoped("makes a version of each write, and gives any of them", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(start)
      const one = yield* (yield* stateGateway()).session("one")
      for (const value of [1, 2, 3]) {
        assert.deepStrictEqual(yield* one.output("state.persistent.set", { key: "k", value: { value } }), {
          version: value,
          previous_version: value - 1
        })
        yield* TestClock.adjust("1 second")
      }
      const version = (value: number) => ({
        value: { value },
        version: value,
        created_at: time(0),
        updated_at: time(value - 1)
      })
      assert.deepStrictEqual(yield* one.output("state.persistent.get", { key: "k" }), { found: true, ...version(3) })
      for (const value of [1, 2, 3]) {
        assert.deepStrictEqual(yield* one.output("state.persistent.get", { key: "k", version: value }), {
          found: true,
          ...version(value)
        })
      }
      for (const missing of [{ key: "k", version: 0 }, { key: "k", version: 4 }, { key: "none" }]) {
        assert.deepStrictEqual(yield* one.output("state.persistent.get", missing), { found: false })
      }
      assert.deepStrictEqual(yield* one.output("state.persistent.history", { key: "k" }), {
        versions: [version(3), version(2), version(1)],
        count: 3
      })
      assert.deepStrictEqual(yield* one.output("state.persistent.history", { key: "k", limit: 1 }), {
        versions: [version(3)],
        count: 1
      })
      assert.deepStrictEqual(yield* one.output("state.persistent.list"), {
        entries: [{ key: "k", version: 3, size_bytes: 11, updated_at: time(2) }],
        count: 1,
        total_size_bytes: 11
      })
      assert.deepStrictEqual(yield* one.output("state.persistent.query", { prefix: "" }), {
        entries: [{ key: "k", ...version(3) }],
        count: 1
      })
    }))

  it.scoped("outlives the session and the gateway, and belongs to one agent", () =>
    Effect.gen(function*() {
      const database = yield* temporaryDatabase
      yield* Effect.scoped(Effect.gen(function*() {
        const one = yield* (yield* stateGateway({ database })).session("one")
        yield* one.output("state.persistent.set", { key: "k", value: "kept" })
      }))
      const gateway = yield* stateGateway({ database })
      const one = yield* gateway.session("one")
      const two = yield* gateway.session("two")
      assert.deepNestedInclude(yield* one.output("state.persistent.get", { key: "k" }), { value: "kept", version: 1 })
      assert.deepStrictEqual(yield* two.output("state.persistent.get", { key: "k" }), { found: false })
      assert.deepStrictEqual(yield* two.output("state.persistent.set", { key: "k", value: 1 }), {
        version: 1,
        previous_version: 0
      })
    }))

  it.scoped("goes on with the versions of a key that was deleted, whose earlier ones are gone", () =>
    Effect.gen(function*() {
      const one = yield* (yield* stateGateway()).session("one")
      for (const value of [1, 2]) yield* one.output("state.persistent.set", { key: "k", value })
      assert.deepStrictEqual(yield* one.output("state.persistent.delete", { key: "k" }), { deleted: true })
      assert.deepInclude(yield* one.error("state.persistent.delete", { key: "k" }), { type: "KeyNotFound" })
      assert.deepInclude(yield* one.error("state.persistent.history", { key: "k" }), { type: "KeyNotFound" })
      assert.deepStrictEqual(yield* one.output("state.persistent.get", { key: "k", version: 1 }), { found: false })
      assert.deepStrictEqual(yield* one.output("state.persistent.query", { prefix: "" }), { entries: [], count: 0 })
      assert.deepStrictEqual(yield* one.output("state.persistent.set", { key: "k", value: 3 }), {
        version: 3,
        previous_version: 0
      })
      assert.strictEqual(at(yield* one.output("state.persistent.history", { key: "k" }), "count"), 1)
    }))

  it.scoped("keeps the last 100 versions", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      for (let value = 1; value <= 250; value++) yield* one.output("state.persistent.set", { key: "k", value })
      const history = listAt(yield* one.output("state.persistent.history", { key: "k" }), "versions")
      assert.deepStrictEqual(history.map((version) => at(version, "version")), Array.makeBy(100, (i) => 250 - i))
      assert.deepStrictEqual(history.map((version) => at(version, "value")), Array.makeBy(100, (i) => 250 - i))
      assert.deepStrictEqual(yield* one.output("state.persistent.get", { key: "k", version: 150 }), { found: false })
      assert.strictEqual(at(yield* one.output("state.persistent.get", { key: "k", version: 151 }), "value"), 151)
      const used = yield* gateway.inStore(Effect.flatMap(PersistentState, (state) => state.used("one")))
      assert.strictEqual(used, 400)
    }))

  it.scoped("counts all that it keeps towards a quota, and stores nothing beyond it", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway({ store: { persistentState: { quotaBytes: 100, maximumKeys: 3 } } })
      const one = yield* gateway.session("one")
      for (let i = 0; i < 9; i++) yield* one.output("state.persistent.set", { key: "k", value: "12345678" })
      const refused = yield* one.error("state.persistent.set", { key: "k", value: "1" })
      assert.deepNestedInclude(refused, { type: "QuotaExceeded", "context.used": 99, "context.limit": 100 })
      assert.strictEqual(at(yield* one.output("state.persistent.get", { key: "k" }), "version"), 9)
      const two = yield* gateway.session("two")
      yield* two.output("state.persistent.set", { key: "k", value: "1" })
      yield* one.output("state.persistent.delete", { key: "k" })
      for (const key of ["a", "b", "c"]) yield* one.output("state.persistent.set", { key, value: 1 })
      assert.deepInclude(yield* one.error("state.persistent.set", { key: "d", value: 1 }), {
        type: "ResourceExhausted"
      })
      yield* one.output("state.persistent.set", { key: "a", value: 2 })
    }))

  it.scoped("lists and queries what begins with exactly the prefix", () =>
    Effect.gen(function*() {
      const one = yield* (yield* stateGateway()).session("one")
      const keys = [
        "a",
        "A",
        "a%b",
        "a%",
        "a_b",
        "axb",
        "b",
        "ä",
        "\u{d7ff}",
        "\u{d7ff}x",
        "\u{e000}",
        "\u{10ffff}",
        "\u{10ffff}\u{10ffff}"
      ]
      for (const key of keys) yield* one.output("state.persistent.set", { key, value: key })
      const found = (prefix: string) =>
        Effect.gen(function*() {
          const listed = listAt(yield* one.output("state.persistent.list", { prefix }), "entries")
          const queried = listAt(yield* one.output("state.persistent.query", { prefix }), "entries")
          assert.deepStrictEqual(queried.map((entry) => at(entry, "value")), queried.map((entry) => at(entry, "key")))
          assert.deepStrictEqual(queried.map((entry) => at(entry, "key")), listed.map((entry) => at(entry, "key")))
          return listed.map((entry) => at(entry, "key"))
        })
      assert.deepStrictEqual(yield* found("a"), ["a", "a%", "a%b", "a_b", "axb"])
      assert.deepStrictEqual(yield* found("a%"), ["a%", "a%b"])
      assert.deepStrictEqual(yield* found("a_"), ["a_b"])
      assert.deepStrictEqual(yield* found("\u{d7ff}"), ["\u{d7ff}", "\u{d7ff}x"])
      assert.deepStrictEqual(yield* found("\u{10ffff}"), ["\u{10ffff}", "\u{10ffff}\u{10ffff}"])
      assert.deepStrictEqual(yield* found("none"), [])
      assert.strictEqual((yield* found("")).length, keys.length)
    }))

  it.scoped("answers with what fits a message, and else says that it does not", () =>
    Effect.gen(function*() {
      const one = yield* (yield* stateGateway()).session("one")
      const value = "x".repeat(1024 * 1024 - 2)
      for (let i = 0; i < 17; i++) yield* one.output("state.persistent.set", { key: "k", value })
      assert.deepInclude(yield* one.error("state.persistent.history", { key: "k" }), { type: "ResourceExhausted" })
      assert.strictEqual(at(yield* one.output("state.persistent.history", { key: "k", limit: 2 }), "count"), 2)
      for (let i = 0; i < 16; i++) yield* one.output("state.persistent.set", { key: `q${i}`, value })
      assert.deepInclude(yield* one.error("state.persistent.query", { prefix: "" }), { type: "ResourceExhausted" })
      assert.strictEqual(at(yield* one.output("state.persistent.query", { prefix: "q1" }), "count"), 7)
    }))

  it.scoped(
    "remembers ten thousand deleted keys; the versions of others go on behind all that were forgotten",
    () =>
      Effect.gen(function*() {
        const gateway = yield* stateGateway()
        yield* gateway.inStore(Effect.gen(function*() {
          const state = yield* PersistentState
          const author = { agent: "one", source: "test", at: 0 }
          for (const _ of [1, 2, 3]) yield* state.set("first", "1", author)
          yield* state.remove("one", "first", author)
          for (let i = 0; i < 9_999; i++) {
            yield* state.set(`k${i}`, "1", author)
            yield* state.remove("one", `k${i}`, author)
          }
          assert.strictEqual((yield* state.set("new", "1", author)).version, 1)
          yield* state.set("last", "1", author)
          yield* state.remove("one", "last", author)
          assert.strictEqual((yield* state.set("newer", "1", author)).version, 4)
          assert.strictEqual((yield* state.set("first", "1", author)).version, 4)
          assert.strictEqual((yield* state.set("k0", "1", author)).version, 2)
        }))
      }),
    30_000
  )
})
