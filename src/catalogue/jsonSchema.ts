import * as JSONSchema from "effect/JSONSchema"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import { type AnyCapability, inputField } from "./Capability.js"
import type { Prose } from "./Prose.js"
import { type JsonSchema, simplifier } from "./simplifiedJsonSchema.js"

/** The JSON Schema of an object. It stands on its own: what it refers to is inside it. */
export interface ObjectJsonSchema extends JsonSchema {
  readonly type: "object"
  readonly properties: { readonly [name: string]: JsonSchema }
  readonly required: ReadonlyArray<string>
  readonly additionalProperties: boolean
}

type Descriptions = { readonly [name: string]: string }

// `date-time` is narrower than what goes over the wire: a gateway also takes a date alone, or a time without a zone, and the
// year 10000 of a file's date would cost a client that checks formats the whole output. A strict validator that has not been
// taught the format does not even compile the schema.
const withoutDateFormat = ({ format, ...schema }: JsonSchema): JsonSchema => {
  if (format === undefined) return schema
  return format === "date-time" ? { description: "date and time, ISO 8601", ...schema } : { ...schema, format }
}

const generate = (schema: Schema.Schema.AnyNoContext, additional: boolean) => {
  const definitions: { [name: string]: JSONSchema.JsonSchema7 } = {}
  const generated = JSONSchema.fromAST(schema.ast, {
    definitions,
    target: "jsonSchema2020-12",
    additionalPropertiesStrategy: additional ? "allow" : "strict"
  })
  const { recursiveDefinitions, simplify } = simplifier(definitions, withoutDateFormat)
  const simplified = simplify(generated)
  const $defs = recursiveDefinitions()
  return { schema: Predicate.isRecord(simplified) ? simplified : {}, $defs }
}

const objectSchema = (
  struct: Schema.Schema.AnyNoContext,
  additional: boolean,
  describe: (name: string) => JsonSchema
): ObjectJsonSchema => {
  const { $defs, schema: { properties, required } } = generate(struct, additional)
  return {
    type: "object",
    properties: Predicate.isRecord(properties)
      ? Record.map(
        properties,
        (property, name) => ({ ...(Predicate.isRecord(property) ? property : {}), ...describe(name) })
      )
      : {},
    required: Array.isArray(required) ? required.filter(Predicate.isString) : [],
    additionalProperties: additional,
    ...(Record.isEmptyReadonlyRecord($defs) ? {} : { $defs })
  }
}

const description = (descriptions: Descriptions | undefined, name: string): JsonSchema => {
  const words = descriptions?.[name]
  return words === undefined ? {} : { description: words }
}

/** The wire form of the value that the gateway takes for an input that is left out; absent where there is none. */
export const encodedDefault = (field: AnyCapability["inputs"][string]): { readonly default?: unknown } => {
  const { default: value, hasDefault, schema } = inputField(field)
  return hasDefault ? { default: Schema.encodeSync(schema)(value) } : {}
}

/**
 * The JSON Schema of a capability's input as it goes over the wire, with defaults, and with descriptions where its words
 * are given. Inputs that the capability does not have are not allowed.
 */
export const inputJsonSchema = (capability: AnyCapability, prose?: Prose<AnyCapability>): ObjectJsonSchema =>
  objectSchema(capability.inputSchema, false, (name) => {
    const field = capability.inputs[name]
    return { ...description(prose?.inputs, name), ...(field === undefined ? {} : encodedDefault(field)) }
  })

/**
 * The JSON Schema of a capability's output as it goes over the wire, with descriptions where its words are given. A
 * newer gateway may send more than it says.
 */
export const outputJsonSchema = (capability: AnyCapability, prose?: Prose<AnyCapability>): ObjectJsonSchema =>
  objectSchema(capability.outputSchema, true, (name) => description(prose?.outputs, name))
