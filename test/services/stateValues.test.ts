import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { KruxosError } from "kruxos"
import { maximumValueBytes, whyUnfit } from "../../src/services/state/jsonForm.js"
import { parameters } from "../support/runs.js"
import { requests } from "../support/scriptedGateway.js"
import { stateGateway, stateOf } from "./stateSupport.js"
import { nativeGateway, success } from "./support.js"

const cycle: { a: { b?: unknown } } = { a: {} }
cycle.a.b = cycle

class Point {
  readonly x = 1
}

const nested = (levels: number): unknown => {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

const unfit: ReadonlyArray<readonly [name: string, value: unknown, path: string, reason: RegExp]> = [
  ["NaN", NaN, "$", /^NaN is not a JSON value$/],
  ["infinity in a list", { a: [1, 2, 3, { b: -Infinity }] }, "$.a[3].b", /^-Infinity/],
  ["a bigint", { a: { b: 1n } }, "$.a.b", /^a bigint/],
  ["a function", { f: () => 1 }, "$.f", /^a function/],
  ["a class", { c: Point }, "$.c", /^a function/],
  ["a symbol", [Symbol("s")], "$[0]", /^a symbol is not a JSON value$/],
  ["nothing at all", undefined, "$", /^undefined/],
  ["undefined in an object", { a: undefined }, "$.a", /^undefined/],
  ["undefined in a list", { a: [1, undefined] }, "$.a[1]", /^undefined/],
  ["a hole", Object.assign([1], { 2: 3 }), "$[1]", /^undefined/],
  ["a cycle", cycle, "$.a.b", /contains itself/],
  ["a date", { at: new Date(0) }, "$.at", /^an instance of Date .* schema/],
  ["a map", { "the map": new Map() }, "$[\"the map\"]", /^an instance of Map/],
  ["a set", [new Set()], "$[0]", /^an instance of Set/],
  ["bytes", new Uint8Array(1), "$", /^an instance of Uint8Array/],
  ["an instance", { p: new Point() }, "$.p", /^an instance of Point/],
  ["an Option", { o: Option.none() }, "$.o", /prototype of its own/],
  ["a structure of Data", Data.struct({ a: 1 }), "$", /prototype of its own/],
  ["a number in a box", { n: Object(1) }, "$.n", /^an instance of Number/],
  ["a symbol as key", { a: { [Symbol("s")]: 1 } }, "$.a", /^a symbol is no key/],
  ["a toJSON of its own", { toJSON: () => 1 }, "$.toJSON", /^a function/],
  ["a key that is no name", { "a-b": { "": NaN } }, "$[\"a-b\"][\"\"]", /^NaN/],
  ["too deep", nested(501), `$${"[0]".repeat(166)}[0…`, /deeper than 500 levels/],
  ["too much text", "a".repeat(maximumValueBytes - 1), "$", /larger than 1,048,576 bytes/],
  ["too many parts", Array.from({ length: 600_000 }, () => 1), "$", /larger than/],
  ["too much in escapes", "\u0001".repeat(maximumValueBytes / 4), "$", /larger than/],
  ["too much in UTF-8", "漢".repeat(maximumValueBytes / 2), "$", /larger than/]
]

const fit: ReadonlyArray<readonly [name: string, value: unknown]> = [
  ["null", null],
  ["an empty text", ""],
  ["an object without prototype", Object.assign(Object.create(null), { a: 1 })],
  [
    "the same object twice",
    (() => {
      const one = { a: 1 }
      return [one, one]
    })()
  ],
  ["500 levels", nested(500)],
  ["as much text as goes in", "a".repeat(maximumValueBytes - 2)],
  ["half a character", "\ud800"],
  ["a key like a prototype's", JSON.parse("{\"__proto__\": 1, \"constructor\": 2}")]
]

describe("the form of values", () => {
  it.each(unfit)("refuses %s", (_, value, path, reason) => {
    const found = whyUnfit(value, false)
    assert.strictEqual(found?.path, path)
    assert.match(found?.reason ?? "", reason)
  })

  it.each(fit)("takes %s", (_, value) => assert.isUndefined(whyUnfit(value, false)))

  it("takes every JSON value, as what comes back", () =>
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue(), (value) => {
        assert.isUndefined(whyUnfit(value, false))
        assert.isUndefined(whyUnfit(value, true))
      }),
      parameters(2000)
    ))

  it("refuses what would come back as something else", () =>
    FastCheck.assert(
      FastCheck.property(
        FastCheck.anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true, maxDepth: 3 }),
        (value) => {
          if (whyUnfit(value, false) !== undefined) return
          // JSON has one zero.
          assert.deepEqual(JSON.parse(JSON.stringify(value)), withoutMinus(value))
        }
      ),
      parameters(5000)
    ))

  it("ends in time with what is small in memory, and large as JSON", () => {
    let value: unknown = "x"
    for (let level = 0; level < 60; level++) value = [value, value]
    assert.match(whyUnfit(value, false)?.reason ?? "", /larger/)
  })
})

const withoutMinus = (value: unknown): unknown => {
  if (value === 0) return 0
  if (Array.isArray(value)) return value.map(withoutMinus)
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutMinus(each)]))
    : value
}

const badKeys: ReadonlyArray<readonly [name: string, key: string]> = [
  ["no characters", ""],
  ["513 bytes", "a".repeat(513)],
  ["513 bytes in fewer characters", "ä".repeat(256) + "a"],
  ["a line break", "a\nb"],
  ["a NUL", "\0"],
  ["a DEL", "a\x7f"],
  ["a C1 control", "a\x85"],
  ["half a character", "a\ud800"]
]

describe("State", () => {
  it.scoped.each(badKeys)("sends nothing for a key with %s", ([, key]) =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      const { persistent, session, shared } = yield* stateOf(gateway)
      const operations: ReadonlyArray<Effect.Effect<unknown, KruxosError>> = [
        session.get(key),
        session.set(key, 1),
        session.delete(key),
        persistent.get(key, Schema.Number),
        persistent.set(key, Schema.Number, 1),
        persistent.delete(key),
        persistent.history(key),
        shared.get(key),
        shared.set(key, 1, { expectedVersion: 0 }),
        shared.delete(key),
        shared.update(key, Schema.Number, (n) => n)
      ]
      for (const operation of operations) {
        const error = yield* Effect.flip(operation)
        assert.deepInclude(error, { _tag: "InvalidInput", field: "key" })
      }
      const [connection] = gateway.connections
      assert.deepStrictEqual(requests(connection), [])
    }))

  it.scoped("takes the empty prefix, and refuses a bad one", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      const { shared } = yield* stateOf(gateway)
      assert.deepStrictEqual(yield* shared.list(""), [])
      const error = yield* Effect.flip(shared.list("a\tb"))
      assert.deepInclude(error, { _tag: "InvalidInput", field: "prefix", capability: "state.shared.list" })
    }))

  it.scoped("sends nothing for a value that is not JSON, and names the place", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      const { persistent, session, shared } = yield* stateOf(gateway)
      const value = { a: [{}, {}, {}, { b: NaN }] }
      const operations: ReadonlyArray<Effect.Effect<unknown, KruxosError>> = [
        session.set("k", value),
        persistent.set("k", value),
        shared.set("k", value, { expectedVersion: 0 })
      ]
      for (const operation of operations) {
        const error = yield* Effect.flip(operation)
        assert.deepInclude(error, { _tag: "InvalidInput", field: "$.a[3].b", reason: "NaN is not a JSON value" })
        assert.strictEqual(error.message, "The value at $.a[3].b: NaN is not a JSON value")
        assert.match(error.capability ?? "", /^state\.\w+\.set$/)
      }
      assert.deepStrictEqual(requests(gateway.connections[0]), [])
    }))

  it.scoped("says where a value does not fit its schema", () =>
    Effect.gen(function*() {
      const Pages = Schema.Struct({ pages: Schema.Array(Schema.Struct({ number: Schema.Positive })) })
      const { session } = yield* stateOf(stateGateway())
      const error = yield* Effect.flip(session.set("k", Pages, { pages: [{ number: 1 }, { number: -1 }] }))
      assert.deepInclude(error, { _tag: "InvalidInput", field: "$.pages[1].number" })
      const beyond = yield* Effect.flip(session.set("k", Schema.Array(Schema.Number), [1, NaN]))
      assert.deepInclude(beyond, { _tag: "InvalidInput", field: "$[1]" })
      // What the types refuse.
      const lacking = yield* Effect.flip(Reflect.apply(session.set, session, ["k", Schema.Number]))
      assert.deepInclude(lacking, { _tag: "InvalidInput", field: "$" })
    }))

  it.scoped("leaves out what a schema leaves undefined", () =>
    Effect.gen(function*() {
      const sent: Array<unknown> = []
      const gateway = nativeGateway((_, given) => {
        sent.push(given)
        return success({ overwritten: false })
      })
      const { session } = yield* stateOf(gateway)
      const Task = Schema.Struct({
        name: Schema.optional(Schema.String),
        due: Schema.UndefinedOr(Schema.DateFromString)
      })
      yield* session.set("k", Task, { name: undefined, due: undefined })
      yield* session.set("k", Task, { due: new Date(0) })
      assert.deepStrictEqual(sent, [
        { key: "k", value: {} },
        { key: "k", value: { due: "1970-01-01T00:00:00.000Z" } }
      ])
    }))
})
