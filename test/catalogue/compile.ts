import { Ajv2020 } from "ajv/dist/2020.js"

const ajv = new Ajv2020({ strict: true, allErrors: true })

/** Compiles a JSON Schema of draft 2020-12, strictly; gives what a value does against it. */
export const compile = (schema: { readonly [keyword: string]: unknown }) => {
  const validate = ajv.compile(schema)
  return (value: unknown) => {
    validate(value)
    return validate.errors ?? []
  }
}
