import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Query from "../../../src/local/supervisor/query.js"

const read = Query.make(
  { agent: Query.agent, capability: Query.capability, since: Query.since, limit: Query.limit, offset: Query.offset },
  Object.values(Query.allowed)
)

describe("the parameters of a request", () => {
  it.effect.each<readonly [query: string, expected: unknown]>([
    ["", {}],
    ["limit=1&offset=0", { limit: 1, offset: 0 }],
    ["limit=1000&offset=9007199254740991", { limit: 1000, offset: 9_007_199_254_740_991 }],
    ["agent=a.b-C_1", { agent: "a.b-C_1" }],
    ["capability=file*.r%2Aad", { capability: "file*.r*ad" }],
    ["since=1970-01-01", { since: 0 }],
    ["since=1970-01-01T00:00", { since: 0 }],
    ["since=1970-01-01T00:00:01.5", { since: 1500 }],
    ["since=1970-01-01T01:00:00%2B01:00", { since: 0 }]
  ])("%s", ([query, expected]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read(new URLSearchParams(query)), expected)
    }))

  it.effect.each([
    "limit",
    "limit=",
    "limit=0",
    "limit=01e1",
    "limit=1.0",
    "limit=+1",
    "limit=-1",
    "limit=NaN",
    "limit=99999999999999999999",
    "limit=1&limit=1",
    "offset=9007199254740993",
    "offset=9999999999999999",
    "agent=",
    "agent=.a",
    `agent=${"a".repeat(65)}`,
    "capability=",
    "capability=a/b",
    `capability=${"a".repeat(201)}`,
    "since=",
    "since=1",
    "since=today",
    "since=1970-01-01T01:00:00+01:00",
    "since=1970-13-01",
    "since=+275760-09-13",
    "constructor=1",
    "__proto__=1",
    "=1",
    "Limit=1"
  ])("not %s", (query) =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(read(new URLSearchParams(query)))
      assert.strictEqual(refused._tag, "InvalidQuery")
      for (const text of Object.values(Query.allowed)) assert.include(refused.message, text)
    }))

  it.effect("may be none", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Query.none(new URLSearchParams("")), {})
      assert.include((yield* Effect.flip(Query.none(new URLSearchParams("a")))).message, "no parameters")
    }))
})
