import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isDeepStrictEqual } from "node:util"
import { assert, describe, expect, it } from "vitest"
import { DateTimeUtc } from "../../src/schema/primitives.js"
import { readerOf, unfit } from "../../src/schema/quick.js"
import { entries } from "../catalogue/entries.js"
import { samples } from "../catalogue/samples/builtIn.js"
import { get, overTheWire } from "../catalogue/values.js"
import { parameters } from "../support/runs.js"

type AnySchema = Schema.Schema.AnyNoContext

const preserve = { onExcessProperty: "preserve" } as const

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

// Schema makes a record's own `__proto__` the prototype of what it gives, and each time another one.
const isSame = (given: unknown, one: unknown, other: unknown) =>
  isDeepStrictEqual(one, other) ||
  (JSON.stringify(given).includes("\"__proto__\":") &&
    isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other))))

/** The two readings of a value; the quick one may be missing, but is never another one. */
const compare = (schema: AnySchema) => {
  const decode = Schema.decodeUnknownEither(schema, preserve)
  const read = readerOf(schema.ast)
  return (value: unknown) => {
    const bySchema = decode(value)
    const quick = read(value)
    if (quick !== unfit) {
      assert(Either.isRight(bySchema), `Schema refuses ${JSON.stringify(value)}`)
      assert(isSame(value, quick, bySchema.right), `It is read differently: ${JSON.stringify(value)}`)
    }
    return { isRead: quick !== unfit, isGood: Either.isRight(bySchema) }
  }
}

const odd: ReadonlyArray<unknown> = [
  undefined,
  null,
  true,
  0,
  -0,
  1.5,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 60,
  "",
  "x",
  "2026-01-02",
  "2026-01-02T03:04:05",
  "2026-01-02T03:04:05Z",
  "2026-01-02T03:04:05.678+02:00",
  "2026-01-02T03:04:05+0200",
  "2026-02-30T00:00:00Z",
  "+275760-09-13T00:00:00.001Z",
  "yesterday Z",
  "a".repeat(64),
  [],
  {},
  [[]],
  [null],
  { type: "x" }
]

const oddNames = ["__proto__", "constructor", "toString", "hasOwnProperty", "excess", "0", "length", ""]

/** A change of a JSON value: `where` chooses the part, `how` what is done with it. */
interface Mutation {
  readonly where: number
  readonly how: number
  readonly value: unknown
}

const mutations: FastCheck.Arbitrary<ReadonlyArray<Mutation>> = FastCheck.array(
  FastCheck.record({
    where: FastCheck.nat(1000),
    how: FastCheck.nat(100),
    value: FastCheck.oneof(FastCheck.constantFrom(...odd), FastCheck.jsonValue())
  }),
  { maxLength: 3 }
)

const partsOf = (value: unknown): ReadonlyArray<object> =>
  isObject(value) ? [value, ...Object.values(value).flatMap(partsOf)] : []

const define = (target: object, name: string, value: unknown) =>
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })

const mutate = (value: unknown, { how, value: other, where }: Mutation): unknown => {
  const parts = partsOf(value)
  const part = parts[where % Math.max(1, parts.length)]
  // A copy, as everywhere below: the next mutation changes it.
  if (part === undefined || how % 10 === 0) return structuredClone(other)
  const names = Object.keys(part)
  const name = names[how % Math.max(1, names.length)]
  if (Array.isArray(part)) {
    if (name !== undefined && how % 3 > 0) part[Number(name)] = structuredClone(other)
    else part.push(structuredClone(other))
  } else if (how % 3 === 0 || name === undefined) {
    define(part, oddNames[how % oddNames.length] ?? "", structuredClone(other))
  } else if (how % 3 === 1) Reflect.deleteProperty(part, name)
  else define(part, name, structuredClone(other))
  return value
}

const mutated = (value: unknown, changes: ReadonlyArray<Mutation>): unknown =>
  changes.reduce(mutate, structuredClone(value))

describe("the quick reader reads as Schema does", () => {
  const outputs = entries.map(({ capability, name }) => ({
    name,
    schema: capability.outputSchema,
    sample: get(samples, name).output
  }))

  it.each(outputs)("the output of $name, and all that is nearly one", ({ sample, schema }) => {
    const check = compare(schema)
    expect(check(sample)).toEqual({ isRead: true, isGood: true })
    const encode = Schema.encodeUnknownSync(schema)
    const valid = FastCheck.oneof(
      FastCheck.constant<unknown>(sample),
      Arbitrary.make(schema).map((value): unknown => overTheWire(encode(value)))
    )
    FastCheck.assert(
      FastCheck.property(valid, mutations, (value, changes) => {
        const { isGood, isRead } = check(value)
        // Some values that a type allows, such as NaN, do not go over the wire.
        if (isGood) assert(isRead, "It is left to Schema")
        check(mutated(value, changes))
      }),
      parameters(100)
    )
  })

  const Tagged = (tag: string) => Schema.Struct({ tag: Schema.Literal(tag), value: Schema.Number })

  const schemas: ReadonlyArray<readonly [string, AnySchema]> = [
    [
      "structs of a union by their tags",
      Schema.Union(Schema.Struct({ value: Schema.Number }), Tagged("a"), Tagged("b"))
    ],
    ["a union whose members overlap", Schema.Union(DateTimeUtc, Schema.String, Schema.NumberFromString)],
    ["a union of a list and a struct", Schema.Union(Schema.Array(DateTimeUtc), Tagged("a"), Schema.Null)],
    ["a struct with a default", Schema.Struct({ value: Schema.optionalWith(Schema.Number, { default: () => 1 }) })],
    [
      "a struct with another name",
      Schema.Struct({ value: Schema.propertySignature(Schema.Number).pipe(Schema.fromKey("x")) })
    ],
    ["a record", Schema.Record({ key: Schema.String, value: DateTimeUtc })],
    ["a struct and a record", Schema.Struct({ x: Schema.Number }, { key: Schema.String, value: Schema.Unknown })],
    ["a tuple", Schema.Tuple(Schema.Number, Schema.optionalElement(Schema.String))],
    ["a list that is not empty", Schema.NonEmptyArray(Schema.Number)],
    ["a composition", Schema.compose(Schema.NumberFromString, Schema.Int)],
    [
      "fields of every object",
      Schema.Struct({ constructor: Schema.Unknown, toString: Schema.optional(Schema.Unknown) })
    ],
    ["no fields", Schema.Struct({})],
    [
      "what refuses unknown fields",
      Schema.Struct({ x: Schema.Number }).annotations({ parseOptions: { onExcessProperty: "error" } })
    ],
    ["what replaces what does not fit", Schema.Number.annotations({ decodingFallback: () => Either.right(0) })],
    ["an option", Schema.Option(Schema.Number)],
    ["a class", Schema.Class<{ readonly x: number }>("X")({ x: Schema.Number })],
    ["a filter over fields", Schema.Struct({ x: Schema.Number }).pipe(Schema.filter(({ x }) => x > 0))]
  ]

  it.each(schemas)("%s", (_, schema) => {
    const check = compare(schema)
    const starts = FastCheck.oneof(
      FastCheck.constantFrom<unknown>(
        ...odd,
        { tag: "a", value: 1 },
        { value: 1, x: 1 },
        [1, "x"],
        ["2026-01-02"],
        "1",
        "1.5"
      ),
      FastCheck.jsonValue()
    )
    FastCheck.assert(
      FastCheck.property(starts, mutations, (value, changes) => {
        const { isGood, isRead } = check(mutated(value, changes))
        expect(isGood || !isRead).toBe(true)
      }),
      parameters(500)
    )
  })
})

it("a value in which nothing is to be decoded is given as it is, and any other is left alone and copied", () => {
  const read = readerOf(Schema.Struct({ at: Schema.optional(DateTimeUtc), list: Schema.Array(Schema.Number) }).ast)
  const plain = { list: [1], more: true }
  const dated = { list: [1], at: "2026-01-02T03:04:05Z" }
  expect(read(plain)).toBe(plain)
  expect(read(dated)).toEqual({ list: [1], at: DateTime.unsafeMake("2026-01-02T03:04:05Z") })
  expect(dated.at).toBe("2026-01-02T03:04:05Z")
})

it("a time that ends in Z is what DateTime makes of it", () => {
  const texts = FastCheck.oneof(
    FastCheck.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    FastCheck.stringMatching(/^[+-]?\d{4,6}-?\d\d-?\d\d[T ]?\d\d:?\d\d(:\d\d(\.\d{1,9})?)?Z$/),
    FastCheck.string().map((text) => `${text}Z`)
  )
  const decode = Schema.decodeUnknownOption(DateTimeUtc)
  FastCheck.assert(
    FastCheck.property(texts, (text) => {
      expect(decode(text)).toEqual(Option.map(DateTime.make(text), DateTime.toUtc))
    }),
    parameters(500)
  )
})
