import * as Struct from "effect/Struct"
import { describe, expect, it } from "vitest"
import { definitionOf } from "../../src/catalogue/definition.js"
import { inputJsonSchema, outputJsonSchema } from "../../src/catalogue/jsonSchema.js"
import { compile } from "./compile.js"
import { entries, entry } from "./entries.js"
import { type DocumentedInput, documentedInputs, names, type Reference } from "./reference/Documented.js"
import type { Sample, Samples } from "./samples/Sample.js"
import { get, takes, thereAndBack } from "./values.js"

interface Category {
  readonly reference: Reference
  /** For each capability, an invocation with every output; inputs may be left out. */
  readonly samples: Samples
  /** For each capability, fields that make its sample's input or output one that is refused. */
  readonly wrong: { readonly [name: string]: Partial<Sample> }
  /** Fields of outputs with a value that a newer gateway could have in an enumeration. */
  readonly newer: { readonly [name: string]: Sample["output"] }
}

const classes: { readonly [type: string]: string } = {
  AlertError: "CapabilityUnavailable",
  CommsError: "CapabilityUnavailable",
  DatabaseError: "CapabilityUnavailable",
  HealthCheckError: "CapabilityUnavailable",
  IoError: "CapabilityUnavailable",
  MetricsError: "CapabilityUnavailable",
  SchedulerError: "CapabilityUnavailable",
  SessionError: "CapabilityUnavailable",
  SessionNotFound: "CapabilityUnavailable",
  SystemInfoError: "CapabilityUnavailable",
  VaultError: "CapabilityUnavailable",
  InvalidAction: "InvalidInput",
  InvalidFilter: "InvalidInput",
  InvalidMethod: "InvalidInput",
  InvalidPort: "InvalidInput",
  InvalidStream: "InvalidInput",
  InvalidTimestamp: "InvalidInput",
  InvalidTimezone: "InvalidInput",
  InvalidUrl: "InvalidInput",
  MissingParameter: "InvalidInput",
  NoLabelsProvided: "InvalidInput",
  ConnectionFailed: "PortCheckFailed"
}

const tagOfClass = (errorClass: object): unknown => "_tag" in errorClass ? errorClass._tag : undefined

const requiredOf = (inputs: ReadonlyArray<DocumentedInput>) =>
  inputs.filter(({ required }) => required).map(({ name }) => name)

const defaultsOf = (inputs: ReadonlyArray<DocumentedInput>) =>
  Object.fromEntries(inputs.flatMap((input) => "default" in input ? [[input.name, input.default]] : []))

/** Describes everything that holds for each capability of a category. */
export const describeCategory = (category: string, { newer, reference, samples, wrong }: Category): void => {
  const rows = entries.filter(({ name }) => name.startsWith(`${category}.`)).map(({ capability, name, prose }) => ({
    name,
    capability,
    prose,
    inputs: documentedInputs(get(reference, name)),
    sample: get<Sample>(samples, name)
  }))

  describe(`the capabilities of ${category}`, () => {
    it("are those that are documented, each with a sample and a wrong one", () => {
      const expected = Object.keys(reference).sort()
      expect(rows.map(({ name }) => name).sort()).toEqual(expected)
      for (const table of [samples, wrong]) expect(Object.keys(table).sort()).toEqual(expected)
    })

    it.each(rows)("$name is as documented", ({ capability, inputs, name, prose }) => {
      const definition = definitionOf(capability, prose)
      const documented = get(reference, name)
      expect({
        version: definition.version,
        tier: definition.permissionTier,
        tags: definition.tags,
        inputs: definition.inputs.map(({ description: _, ...input }) => input),
        outputs: definition.outputs.map(({ name, type }) => [name, type]),
        errors: definition.errors.map(({ recovery, type }) => [type, recovery.map(({ action }) => action)]),
        sideEffects: definition.sideEffects.map(({ reversible }) => reversible)
      }).toEqual({
        version: documented.version,
        tier: documented.tier,
        tags: names(documented.tags),
        inputs,
        outputs: Object.entries(documented.outputs),
        errors: Object.entries(documented.errors).map(([type, recovery]) => [type, names(recovery)]),
        sideEffects: (documented.sideEffects ?? []).map((effect) => effect === "reversible")
      })
    })

    it.each(rows)("$name gives each error type its class", ({ capability }) => {
      const types = Object.keys(capability.errors)
      expect(types.length).toBeGreaterThan(0)
      expect(Object.values(capability.errors).map((entry) => tagOfClass(entry.class))).toEqual(
        types.map((type) => classes[type] ?? type)
      )
    })

    it.each(rows)("$name reads and writes its sample", ({ capability, sample: { input, output } }) => {
      expect(takes(capability.inputSchema, input)).toBe(true)
      expect(takes(capability.outputSchema, output)).toBe(true)
      expect(thereAndBack(capability.inputSchema, input)).toEqual(input)
      expect(thereAndBack(capability.outputSchema, output)).toEqual(output)
      expect(Object.keys(output).sort()).toEqual(Object.keys(capability.outputs).sort())
    })

    it.each(rows)("$name fills in the documented defaults for the handler, and nothing else", (row) => {
      const { capability, inputs, sample: { input } } = row
      const required = Object.fromEntries(requiredOf(inputs).map((name) => [name, input[name]]))
      expect(takes(capability.inputSchema, required)).toBe(true)
      expect(thereAndBack(capability.inputSchema, required)).toEqual(required)
      expect(thereAndBack(capability.handlerInputSchema, required)).toEqual(
        { ...required, ...defaultsOf(inputs) }
      )
    })

    it.each(rows)("$name refuses an input that is wrong, missing or not its own", (row) => {
      const { capability, inputs, name, sample: { input } } = row
      const mistaken = get(wrong, name)
      const refused = [
        ...(mistaken.input === undefined ? [] : [{ ...input, ...mistaken.input }]),
        ...requiredOf(inputs).map((missing) => Struct.omit(input, missing)),
        { ...input, no_such_input: 1 }
      ]
      for (const schema of [capability.inputSchema, capability.handlerInputSchema]) {
        expect(refused.filter((wrongInput) => takes(schema, wrongInput))).toEqual([])
      }
    })

    it.each(rows)("$name refuses an output that is wrong, or lacks what is always there", (row) => {
      const { capability, name, sample: { output } } = row
      const mistaken = get(wrong, name)
      const refused = [
        ...(mistaken.output === undefined ? [] : [{ ...output, ...mistaken.output }]),
        ...outputJsonSchema(capability).required.map((missing) => Struct.omit(output, missing))
      ]
      expect(Object.keys(mistaken)).not.toEqual([])
      expect(refused.filter((wrongOutput) => takes(capability.outputSchema, wrongOutput))).toEqual([])
    })

    it.each(rows)("$name has JSON Schemas that take its sample", ({ capability, inputs, sample, prose }) => {
      const inputErrors = compile(inputJsonSchema(capability, prose))
      expect(inputErrors(sample.input)).toEqual([])
      expect(inputErrors({ ...sample.input, no_such_input: 1 })).not.toEqual([])
      for (const missing of requiredOf(inputs)) {
        expect(inputErrors(Struct.omit(sample.input, missing))).not.toEqual([])
      }
      expect(compile(outputJsonSchema(capability, prose))(sample.output)).toEqual([])
    })

    it.each(rows)("$name keeps an output field that it does not know", ({ capability, sample }) => {
      const output = { ...sample.output, added_later: { by: ["a newer gateway"] } }
      expect(thereAndBack(capability.outputSchema, output)).toEqual(output)
      expect(compile(outputJsonSchema(capability))(output)).toEqual([])
    })

    it.each(Object.entries(newer))("%s reads a value that is new in an enumeration of its output", (name, fields) => {
      const { capability } = entry(name)
      const output = { ...get<Sample>(samples, name).output, ...fields }
      expect(thereAndBack(capability.outputSchema, output)).toEqual(output)
      expect(compile(outputJsonSchema(capability))(output)).toEqual([])
    })
  })
}
