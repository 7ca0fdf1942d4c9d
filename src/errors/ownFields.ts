import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { errorFields } from "./base.js"
import { type ErrorClass, type KruxosError } from "./KruxosError.js"
import { seconds } from "./wire.js"

type Context = { readonly [key: string]: unknown }

const commonNames = new Set(["_tag", ...Object.keys(errorFields("", { retryable: false }))])

const snakeCase = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Where else the value of a field may be found: gateways, and the inputs that errors repeat, spell some otherwise. */
const otherKeys: { readonly [field: string]: ReadonlyArray<string> } = {
  actualVersion: ["current_version"],
  approvalId: ["request_id"],
  branch: ["name"],
  domain: ["host"],
  expression: ["schedule"],
  field: ["parameter"],
  hostname: ["host"],
  path: ["destination", "trash_path"],
  recipient: ["to"],
  requested: ["name"],
  resource: ["key"],
  revision: ["commit"],
  rule: ["rule_reference"],
  secretName: ["name"]
}

interface OwnField {
  readonly name: string
  readonly keys: ReadonlyArray<string>
  readonly accepts: (value: unknown) => boolean
}

const ownFieldsOf = ({ fields }: ErrorClass): ReadonlyArray<OwnField> =>
  Object.entries(fields)
    .filter(([name]) => !commonNames.has(name))
    .map(([name, field]) => {
      const has = Schema.is(Schema.Struct({ [name]: field }))
      return {
        name,
        keys: [snakeCase(name), ...(otherKeys[name] ?? [])],
        accepts: (value) => value !== undefined && has({ [name]: value })
      }
    })

const known = new Map<ErrorClass, ReadonlyArray<OwnField>>()

const fieldsOf = (errorClass: ErrorClass): ReadonlyArray<OwnField> => {
  const fields = known.get(errorClass) ?? ownFieldsOf(errorClass)
  known.set(errorClass, fields)
  return fields
}

const valueOf = ({ accepts, keys }: OwnField, context: Context): unknown =>
  keys.map((key) => context[key]).find(accepts) ??
    keys.map((key) => seconds(context[`${key}_seconds`])).find(accepts)

/** The fields that a class of errors has to itself, as the context of an error on the wire tells them. */
export const fromContext = (errorClass: ErrorClass, context: Context): { readonly [name: string]: unknown } =>
  Object.fromEntries(
    fieldsOf(errorClass)
      .map((field) => [field.name, valueOf(field, context)] as const)
      .filter(([, value]) => value !== undefined)
  )

/** The fields that an error has to itself, as the context of an error on the wire: the inverse of {@link fromContext}. */
export const toContext = (error: KruxosError): Context =>
  Object.fromEntries(
    Object.entries(error)
      .filter(([name, value]) => !commonNames.has(name) && value !== undefined)
      .map(([name, value]) =>
        Duration.isDuration(value)
          ? [`${snakeCase(name)}_seconds`, Duration.toSeconds(value)] as const
          : [snakeCase(name), value] as const
      )
  )
