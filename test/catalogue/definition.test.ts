import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { make, optional } from "../../src/catalogue/Capability.js"
import { definitionOf } from "../../src/catalogue/definition.js"
import { CapabilityDefinition } from "../../src/schema/CapabilityDefinition.js"
import { DateTimeUtc } from "../../src/schema/primitives.js"
import { entries, entry } from "./entries.js"
import { reference } from "./reference.js"

const names = (list: string) => list.split(", ")

const documentedInput = (name: string, documented: string) => {
  const [type = "", value] = documented.split(" = ")
  return {
    name,
    type: type.replace("?", ""),
    required: !type.endsWith("?"),
    description: "",
    ...(value === undefined ? {} : { default: JSON.parse(value) })
  }
}

describe("definitionOf", () => {
  it("is tested on every capability of the catalogue", () => {
    expect(entries.map(({ name }) => name).sort()).toEqual(Object.keys(reference).sort())
  })

  it.each(Object.entries(reference))("says of %s what KruxOS documents", (name, documented) => {
    const { capability, prose } = entry(name)
    const definition = definitionOf(capability, prose)
    expect({
      version: definition.version,
      tier: definition.permissionTier,
      tags: definition.tags,
      inputs: definition.inputs.map((input) => ({ ...input, description: "" })),
      outputs: definition.outputs.map(({ name, type }) => ({ name, type })),
      errors: definition.errors.map(({ recovery, type }) => [type, recovery.map(({ action }) => action)]),
      sideEffects: definition.sideEffects.map(({ reversible }) => reversible)
    }).toEqual({
      version: documented.version,
      tier: documented.tier,
      tags: names(documented.tags),
      inputs: Object.entries(documented.inputs).map(([name, input]) => documentedInput(name, input)),
      outputs: Object.entries(documented.outputs).map(([name, type]) => ({ name, type })),
      errors: Object.entries(documented.errors).map(([type, recovery]) => [type, names(recovery)]),
      sideEffects: (documented.sideEffects ?? []).map((effect) => effect === "reversible")
    })
  })

  it.each(entries)("of $name goes over the wire and back unchanged", ({ capability, prose }) => {
    const definition = definitionOf(capability, prose)
    const wire = JSON.parse(JSON.stringify(Schema.encodeSync(CapabilityDefinition)(definition)))
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
