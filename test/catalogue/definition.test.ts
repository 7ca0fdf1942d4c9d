import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { make, optional } from "../../src/catalogue/Capability.js"
import { definitionOf } from "../../src/catalogue/definition.js"
import { CapabilityDefinition } from "../../src/schema/CapabilityDefinition.js"
import { DateTimeUtc } from "../../src/schema/primitives.js"
import { entries } from "./entries.js"
import { categories, reference } from "./reference/all.js"
import { overTheWire } from "./values.js"

describe("definitionOf", () => {
  it("is tested on every capability that KruxOS documents, each in its category", () => {
    expect(entries.map(({ name }) => name).sort()).toEqual(Object.keys(reference).sort())
    expect(entries).toHaveLength(94)
    for (const [category, documented] of Object.entries(categories)) {
      expect(Object.keys(documented).filter((name) => !name.startsWith(`${category}.`))).toEqual([])
    }
  })

  it.each(entries)("of $name goes over the wire and back unchanged", ({ capability, prose }) => {
    const definition = definitionOf(capability, prose)
    const wire = overTheWire(Schema.encodeSync(CapabilityDefinition)(definition))
    expect(Schema.decodeUnknownSync(CapabilityDefinition)(wire)).toEqual(definition)
    expect(wire).toMatchObject({ when_to_use: prose.whenToUse, permission_tier: capability.tier })
  })

  it.each(entries)("leaves nothing of $name undescribed", ({ capability, prose }) => {
    const definition = definitionOf(capability, prose)
    const descriptions = [
      definition.purpose,
      definition.whenToUse,
      ...[...definition.inputs, ...definition.outputs, ...definition.errors, ...definition.sideEffects]
        .map(({ description }) => description),
      ...definition.errors.flatMap(({ recovery }) => recovery.map(({ description }) => description))
    ]
    expect(descriptions.filter((description) => description.trim() === "")).toEqual([])
  })

  it("gives a default in the form that goes over the wire", () => {
    const since = Schema.decodeSync(DateTimeUtc)("2025-01-01T00:00:00Z")
    const capability = make("pack.events", {
      tier: "autonomous",
      tags: [],
      inputs: { since: optional(DateTimeUtc, since) },
      outputs: {},
      errors: {}
    })
    const definition = definitionOf(capability, {
      purpose: "Lists events.",
      whenToUse: "Always.",
      inputs: { since: "The first." },
      outputs: {},
      errors: {},
      sideEffects: [],
      commonPatterns: []
    })
    expect(definition.inputs).toEqual([
      {
        name: "since",
        type: "DateTime",
        required: false,
        default: "2025-01-01T00:00:00.000Z",
        description: "The first."
      }
    ])
  })
})
