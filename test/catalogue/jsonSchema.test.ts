import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { type AnyCapability, make, optional } from "../../src/catalogue/Capability.js"
import { inputJsonSchema, outputJsonSchema } from "../../src/catalogue/jsonSchema.js"
import { Integer, NonNegativeInteger } from "../../src/schema/primitives.js"
import { parameters } from "../support/runs.js"
import { compile } from "./compile.js"
import { entries, entry } from "./entries.js"
import { get, overTheWire, takes } from "./values.js"

// Null is a value like any other to be stored.
const mayBeNull = ["state.persistent.set value", "state.session.set value", "state.shared.set value"]

const keywordsIn = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value)
    ? value.flatMap(keywordsIn)
    : Predicate.isRecord(value)
    ? [...Object.keys(value), ...Object.values(value).flatMap(keywordsIn)]
    : []

const pack = (inputs: AnyCapability["inputs"], outputs: Schema.Struct.Fields = {}) =>
  make("pack.thing", { tier: "notify", tags: [], inputs, outputs, errors: {} })

describe("inputJsonSchema", () => {
  it.each(entries)("of $name accepts exactly the inputs that decode", ({ capability }) => {
    const errors = compile(inputJsonSchema(capability))
    const decode = Schema.decodeUnknownEither(capability.inputSchema, { onExcessProperty: "error" })
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(capability.inputSchema), (input) => {
        const encoded = overTheWire(Schema.encodeSync(capability.inputSchema)(input))
        expect(errors(encoded)).toEqual([])
        expect(Either.isRight(decode(encoded))).toBe(true)
      }),
      parameters(200)
    )
    for (const name of Object.keys(capability.inputs)) {
      const withNull = { ...validInput(capability), [name]: null }
      const expected = mayBeNull.includes(`${capability.name} ${name}`)
      expect(errors(withNull).length === 0).toBe(expected)
      expect(Either.isRight(decode(withNull))).toBe(expected)
    }
    expect(errors({ ...validInput(capability), no_such_input: 1 })).not.toEqual([])
  })

  it.each(entries)("of $name describes every input and stands on its own", ({ capability, prose }) => {
    const { properties, required, ...schema } = inputJsonSchema(capability, prose)
    expect(Object.keys(properties)).toEqual(Object.keys(capability.inputs))
    expect(Object.values(properties).filter(({ description }) => typeof description !== "string")).toEqual([])
    expect(schema).toEqual({ type: "object", additionalProperties: false })
    expect(keywordsIn(properties)).not.toContain("$ref")
    expect(required).toEqual(Object.keys(capability.inputs).filter((name) => Schema.isSchema(capability.inputs[name])))
  })

  it("carries limits, closed enumerations, defaults and descriptions", () => {
    const { capability, prose } = entry("filesystem.search")
    const { properties } = inputJsonSchema(capability, prose)
    expect(properties["max_hash_bytes"]).toEqual({
      type: "integer",
      minimum: 0,
      maximum: 268_435_456,
      default: 10_485_760,
      description: prose.inputs["max_hash_bytes"]
    })
    expect(inputJsonSchema(entry("system.metrics").capability).properties["window"]).toEqual({
      type: "string",
      enum: ["1m", "5m", "15m", "1h", "24h"],
      default: "5m"
    })
  })

  it("has an object without properties for a capability without inputs", () => {
    expect(inputJsonSchema(entry("agent.whoami").capability)).toEqual({
      type: "object",
      properties: {},
      required: [],
      additionalProperties: false
    })
  })

  it.each([["git.log", { path: "a" }], ["state.briefing.generate", {}]])(
    "leaves the form of a time to the gateway, which takes more than other validators (%s)",
    (name, others) => {
      const { capability, prose } = entry(name)
      const since = get(inputJsonSchema(capability, prose).properties, "since")
      expect(since).toEqual({ type: "string", description: expect.stringContaining("ISO 8601") })
      expect(inputJsonSchema(capability).properties["since"]).toEqual({
        type: "string",
        description: "date and time, ISO 8601"
      })
      const errors = compile(inputJsonSchema(capability))
      for (
        const time of ["2025-01-31", "2025-01-31T08:00:00", "2025-01-31T08:00:00.000Z", "2025-01-31T09:00:00+01:00"]
      ) {
        expect(errors({ ...others, since: time })).toEqual([])
        expect(takes(capability.inputSchema, { ...others, since: time })).toBe(true)
      }
      expect(takes(capability.inputSchema, { ...others, since: "yesterday" })).toBe(false)
    }
  )

  it("keeps inputs that are named like keywords of JSON Schema", () => {
    const capability = pack({ title: Schema.String, $id: optional(Schema.String), description: optional(Integer) })
    expect(inputJsonSchema(capability).properties).toEqual({
      title: { type: "string" },
      $id: { type: "string" },
      description: { type: "integer" }
    })
  })

  it("keeps what a pack says of its own fields", () => {
    const described = Schema.Struct({ name: Schema.String.annotations({ description: "the name of the thing" }) })
    expect(inputJsonSchema(pack({ thing: described })).properties["thing"]).toMatchObject({
      properties: { name: { type: "string", description: "the name of the thing" } }
    })
  })

  it("keeps both bounds where one schema narrows another", () => {
    const errors = compile(inputJsonSchema(pack({ count: NonNegativeInteger.pipe(Schema.greaterThanOrEqualTo(-5)) })))
    expect(errors({ count: -1 })).not.toEqual([])
    expect(errors({ count: 0 })).toEqual([])
  })

  it("includes the definition of what contains itself", () => {
    interface Tree {
      readonly label: string
      readonly children: ReadonlyArray<Tree>
    }
    const Tree: Schema.Schema<Tree> = Schema.Struct({
      label: Schema.String,
      children: Schema.Array(Schema.suspend(() => Tree))
    }).annotations({ identifier: "a/tree" })
    const errors = compile(inputJsonSchema(pack({ tree: Tree })))
    const leaf = { label: "leaf", children: [] }
    expect(errors({ tree: { label: "root", children: [leaf, { label: "inner", children: [leaf] }] } })).toEqual([])
    expect(errors({ tree: { label: "root", children: [{ label: "inner", children: [{}] }] } })).not.toEqual([])
  })
})

describe("outputJsonSchema", () => {
  it.each(entries)("of $name accepts every output that its schema encodes, and more fields", ({ capability }) => {
    const errors = compile(outputJsonSchema(capability))
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(capability.outputSchema), (output) => {
        const encoded = overTheWire(Schema.encodeSync(capability.outputSchema)(output))
        expect(errors(encoded)).toEqual([])
        expect(errors({ ...(Predicate.isRecord(encoded) ? encoded : {}), added_later: true })).toEqual([])
      }),
      parameters(200)
    )
    expect(errors({})).not.toEqual([])
  })

  it.each(entries)("of $name describes every output and stands on its own", ({ capability, prose }) => {
    const { properties, ...schema } = outputJsonSchema(capability, prose)
    expect(Object.keys(properties)).toEqual(Object.keys(capability.outputs))
    expect(Object.values(properties).filter(({ description }) => typeof description !== "string")).toEqual([])
    expect(schema).toMatchObject({ type: "object", additionalProperties: true })
    expect(keywordsIn(properties)).not.toContain("$ref")
  })

  it("leaves enumerations open, also for fields inside of fields", () => {
    const errors = compile(outputJsonSchema(entry("system.health").capability))
    const output = {
      overall_status: "on holiday",
      services: [{ name: "store", status: "asleep", message: "", since: "noon" }],
      resource_usage: { cpu_percent: 0.5, memory_percent: 1, disk_percent: 2, open_files: 3, threads: 4 },
      queue_depths: { approval_pending: 0, alerts_pending: 0, audit_buffer: 0 }
    }
    expect(errors(output)).toEqual([])
  })
})

const validInput = (capability: AnyCapability): { readonly [name: string]: unknown } => {
  const [input] = FastCheck.sample(Arbitrary.make(capability.inputSchema), { numRuns: 1, seed: 1 })
  const encoded: unknown = overTheWire(Schema.encodeSync(capability.inputSchema)(input))
  return Predicate.isRecord(encoded) ? encoded : {}
}
