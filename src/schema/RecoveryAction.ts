import * as Schema from "effect/Schema"

/**
 * Something that a caller can do about an error, as the gateway suggests it. `capability` and `inputs` name the
 * capability that carries it out, where there is one. On the wire it is an object, or a bare string (the action).
 */
export interface RecoveryAction {
  readonly action: string
  readonly description: string
  readonly capability?: string | undefined
  readonly inputs?: { readonly [key: string]: unknown } | undefined
}

const Fields = Schema.Struct({
  action: Schema.String,
  description: Schema.optionalWith(Schema.String, { default: () => "" }),
  capability: Schema.optionalWith(Schema.String, { nullable: true }),
  inputs: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.Unknown }), { nullable: true })
})

const FromName = Schema.transform(Schema.String, Schema.typeSchema(Fields), {
  strict: true,
  decode: (action) => ({ action, description: "" }),
  encode: ({ action }) => action
})

export const RecoveryAction = Schema.Union(Fields, FromName).annotations({ identifier: "RecoveryAction" })
