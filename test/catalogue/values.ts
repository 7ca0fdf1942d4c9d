import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

type AnySchema = Schema.Schema.AnyNoContext

/** The value under a name that has to be there. */
export const get = <A>(values: { readonly [name: string]: A }, name: string): A => {
  const value = values[name]
  if (value === undefined) throw new Error(`There is nothing for ${name}`)
  return value
}

/** The value as it is after it has gone over the wire. */
export const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** What is read from the wire and written to it again; fields that the schema does not know are kept. */
export const thereAndBack = (schema: AnySchema, wire: unknown): unknown => {
  const options = { onExcessProperty: "preserve" } as const
  const value: unknown = Schema.decodeUnknownSync(schema, options)(wire)
  return overTheWire(Schema.encodeUnknownSync(schema, options)(value))
}

/** Whether a gateway, which takes no fields that it does not know, takes this. */
export const takes = (schema: AnySchema, wire: unknown): boolean =>
  Either.isRight(Schema.decodeUnknownEither(schema, { onExcessProperty: "error" })(wire))
