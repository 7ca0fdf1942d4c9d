import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { at } from "../../../support/json.js"
import { stateGateway } from "./support.js"

const hostileKeys: ReadonlyArray<string> = [
  "x",
  " ",
  ".",
  "..",
  "/",
  "%",
  "_",
  "*",
  "'; DROP TABLE state_entries; --",
  "\"",
  "\\",
  "__proto__",
  "constructor",
  "a\u00a0b",
  "\u2028",
  "\u{10ffff}",
  "\u{ffff}",
  "é",
  "e\u0301",
  "x".repeat(512),
  "ä".repeat(256)
]

const refusedKeys: ReadonlyArray<string> = [
  "",
  "\u0000",
  "a\nb",
  "\u007f",
  "\u0085",
  "\ud800",
  "\udc00a",
  "x".repeat(513),
  "ä".repeat(256) + "x"
]

const forms = [
  ["state.session", {}],
  ["state.persistent", {}],
  ["state.shared", { expected_version: 0 }]
] as const

describe.each(forms)("keys and values of %s", (category, more) => {
  it.scoped("keeps odd keys apart", () =>
    Effect.gen(function*() {
      const one = yield* (yield* stateGateway()).session("one")
      for (const [value, key] of hostileKeys.entries()) {
        yield* one.output(`${category}.set`, { key, value, ...more })
      }
      for (const [value, key] of hostileKeys.entries()) {
        assert.strictEqual(at(yield* one.output(`${category}.get`, { key }), "value"), value)
      }
      assert.strictEqual(at(yield* one.output(`${category}.list`), "count"), hostileKeys.length)
      for (const key of hostileKeys) yield* one.output(`${category}.delete`, { key })
      assert.strictEqual(at(yield* one.output(`${category}.list`), "count"), 0)
    }))

  it.scoped("refuses what is no key, and what no key begins with", () =>
    Effect.gen(function*() {
      const one = yield* (yield* stateGateway()).session("one")
      for (const key of refusedKeys) {
        for (
          const [name, input] of [["set", { key, value: 1, ...more }], ["get", { key }], ["delete", { key }]] as const
        ) {
          const error = yield* one.error(`${category}.${name}`, input)
          assert.deepNestedInclude(error, { type: "InvalidInput", "context.field": "key" }, JSON.stringify(key))
        }
        if (key !== "") {
          const error = yield* one.error(`${category}.list`, { prefix: key })
          assert.deepNestedInclude(error, { type: "InvalidInput", "context.field": "prefix" })
        }
      }
    }))

  it.scoped("takes values of up to 1 MiB as JSON, and no missing ones", () =>
    Effect.gen(function*() {
      const one = yield* (yield* stateGateway()).session("one")
      const most = "x".repeat(1024 * 1024 - 2)
      yield* one.output(`${category}.set`, { key: "most", value: most, ...more })
      assert.strictEqual(at(yield* one.output(`${category}.get`, { key: "most" }), "value"), most)
      for (const value of [`${most}x`, "ä".repeat(1024 * 512)]) {
        const error = yield* one.error(`${category}.set`, { key: "more", value, ...more })
        assert.deepNestedInclude(error, { type: "InvalidInput", "context.field": "value" })
      }
      assert.deepInclude(yield* one.error(`${category}.set`, { key: "more", ...more }), { type: "InvalidInput" })
      // A message is not nested deeper than 128 levels, two of which are around the value.
      let deep: unknown = 1
      for (let level = 0; level < 126; level++) deep = [deep]
      yield* one.output(`${category}.set`, { key: "deep", value: deep, ...more })
      assert.deepStrictEqual(at(yield* one.output(`${category}.get`, { key: "deep" }), "value"), deep)
    }))
})
