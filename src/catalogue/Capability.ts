import * as Schema from "effect/Schema"
import type { Simplify } from "effect/Types"
import type { KruxosError } from "../errors/KruxosError.js"
import type { PermissionTier } from "../schema/CapabilityDefinition.js"

type AnySchema = Schema.Schema.AnyNoContext

/**
 * An input that may be left out; `Default` tells whether the gateway then fills in a value.
 */
export interface OptionalInput<S extends AnySchema, Default extends boolean> {
  readonly schema: S
  readonly hasDefault: Default
  readonly default: Schema.Schema.Type<S> | undefined
}

/** The inputs of a capability by their wire names: a schema is required, an {@link OptionalInput} may be left out. */
export interface InputFields {
  readonly [name: string]: AnySchema | OptionalInput<AnySchema, boolean>
}

/** One of the errors that a capability lists: its class, and the names of the recovery actions it offers. */
export interface ErrorEntry<E extends KruxosError = KruxosError> {
  readonly class: new(...fields: ReadonlyArray<never>) => E
  readonly recovery: ReadonlyArray<string>
}

/** The errors of a capability by their wire types. */
export interface ErrorEntries {
  readonly [type: string]: ErrorEntry
}

/** Pairs of output fields that mean the same and that gateways spell differently. */
export type Spellings<Field extends string = string> = ReadonlyArray<readonly [Field, Field]>

/** Whether an effect of an invocation can be undone. */
export type Reversibility = "reversible" | "not reversible"

/**
 * A capability as data: its name, how it is governed, and the types of what goes in, what comes out and what can go
 * wrong. The words for a model that chooses among capabilities are kept apart (`CapabilityProse`), so that a program that
 * only invokes does not carry them.
 */
export interface Capability<
  Name extends string,
  Inputs extends InputFields,
  Outputs extends Schema.Struct.Fields,
  Errors extends ErrorEntries,
  Pairs extends Spellings = Spellings
> {
  readonly name: Name
  readonly version: string
  /** The tier that holds where no policy says otherwise. */
  readonly tier: PermissionTier
  readonly tags: ReadonlyArray<string>
  readonly inputs: Inputs
  readonly outputs: Outputs
  /** Both fields of each pair are always filled. */
  readonly spellings: Pairs
  readonly errors: Errors
  readonly sideEffects: ReadonlyArray<Reversibility>
  /** What the caller gives: optional inputs are optional, and defaults are the gateway's business. */
  readonly inputSchema: Schema.Schema<InputOf<Inputs>, { readonly [name: string]: unknown }>
  /** What a handler is given: defaults are filled in. */
  readonly handlerInputSchema: Schema.Schema<HandlerInputOf<Inputs>, { readonly [name: string]: unknown }>
  readonly outputSchema: Schema.Schema<OutputOf<Outputs>, { readonly [name: string]: unknown }>
}

/** Any capability. */
export interface AnyCapability extends
  Omit<
    Capability<string, InputFields, Schema.Struct.Fields, ErrorEntries>,
    "inputSchema" | "handlerInputSchema" | "outputSchema"
  >
{
  readonly inputSchema: AnySchema
  readonly handlerInputSchema: AnySchema
  readonly outputSchema: AnySchema
}

type OptionalKey<Inputs extends InputFields> = {
  [Key in keyof Inputs]: Inputs[Key] extends OptionalInput<AnySchema, boolean> ? Key : never
}[keyof Inputs]

type AbsentKey<Inputs extends InputFields> = {
  [Key in keyof Inputs]: Inputs[Key] extends OptionalInput<AnySchema, false> ? Key : never
}[keyof Inputs]

type ValueOf<Field> = Field extends OptionalInput<infer S, boolean> ? Schema.Schema.Type<S>
  : Field extends AnySchema ? Schema.Schema.Type<Field>
  : never

/** The type of a capability's input for its caller. */
export type InputOf<Inputs extends InputFields> = Simplify<
  & { readonly [Key in Exclude<keyof Inputs, OptionalKey<Inputs>>]: ValueOf<Inputs[Key]> }
  & { readonly [Key in OptionalKey<Inputs>]?: ValueOf<Inputs[Key]> | undefined }
>

/** The type of a capability's input for its handler. */
export type HandlerInputOf<Inputs extends InputFields> = Simplify<
  & { readonly [Key in Exclude<keyof Inputs, AbsentKey<Inputs>>]: ValueOf<Inputs[Key]> }
  & { readonly [Key in AbsentKey<Inputs>]?: ValueOf<Inputs[Key]> | undefined }
>

/** The type of a capability's output. */
export type OutputOf<Outputs extends Schema.Struct.Fields> = Simplify<Schema.Struct.Type<Outputs>>

// With a parameter of its own it goes over the entries one by one, so that no entries give no errors.
type FailureOf<Entry> = Entry extends ErrorEntry<infer E> ? E : never

/** The errors that a capability itself can fail with. */
export type ErrorOf<Errors extends ErrorEntries> = FailureOf<Errors[keyof Errors]>

/** An input that may be left out. Without it the gateway does what the capability says. */
export function optional<S extends AnySchema>(schema: S): OptionalInput<S, false>
/** An input that may be left out; the gateway then takes the default. */
export function optional<S extends AnySchema>(schema: S, value: Schema.Schema.Type<S>): OptionalInput<S, true>
export function optional<S extends AnySchema>(
  schema: S,
  value?: Schema.Schema.Type<S>
): OptionalInput<S, boolean> {
  return { schema, hasDefault: value !== undefined, default: value }
}

/** An error that a capability lists, with the names of the recovery actions it offers. */
export const failure = <E extends KruxosError>(
  errorClass: new(...fields: ReadonlyArray<never>) => E,
  ...recovery: ReadonlyArray<string>
): ErrorEntry<E> => ({ class: errorClass, recovery })

const isOptional = (field: AnySchema | OptionalInput<AnySchema, boolean>): field is OptionalInput<AnySchema, boolean> =>
  !Schema.isSchema(field)

/** The schema of an input, and whether it is required. */
export const inputField = (field: AnySchema | OptionalInput<AnySchema, boolean>) =>
  isOptional(field)
    ? { schema: field.schema, required: false, hasDefault: field.hasDefault, default: field.default }
    : { schema: field, required: true, hasDefault: false, default: undefined }

// A struct without fields takes any value, whatever it holds.
const nothing = Schema.Struct({}).pipe(Schema.filter((value) => {
  const [unexpected] = Object.keys(value)
  return unexpected === undefined || { path: [unexpected], message: "this capability takes no arguments" }
}))

const structOf = (
  inputs: InputFields,
  whenOptional: (field: OptionalInput<AnySchema, boolean>) => Schema.Struct.Field
) => {
  const fields = Object.entries(inputs)
  return fields.length === 0
    ? nothing
    : Schema.Struct(
      Object.fromEntries(fields.map(([name, field]) => [name, isOptional(field) ? whenOptional(field) : field]))
    )
}

type Declaration<
  Name extends string,
  Inputs extends InputFields,
  Outputs extends Schema.Struct.Fields,
  Errors extends ErrorEntries,
  Pairs extends Spellings
> = Pick<Capability<Name, Inputs, Outputs, Errors>, "tier" | "tags" | "inputs" | "outputs" | "errors"> & {
  readonly version?: string
  readonly spellings?: Pairs
  readonly sideEffects?: ReadonlyArray<Reversibility>
}

/**
 * Declares a capability: one of the catalogue, or one of a pack. `version` is "1.0" unless given; its schemas are built
 * at first use, once.
 */
export const make = <
  const Name extends string,
  const Inputs extends InputFields,
  const Outputs extends Schema.Struct.Fields,
  const Errors extends ErrorEntries,
  const Pairs extends Spellings<keyof Outputs & string> = readonly []
>(
  name: Name,
  { version = "1.0", spellings, sideEffects = [], ...declaration }: Declaration<Name, Inputs, Outputs, Errors, Pairs>
): Capability<Name, Inputs, Outputs, Errors, Pairs> => {
  const { inputs, outputs } = declaration
  const inputSchema = lazily(() => structOf(inputs, ({ schema }) => Schema.optional(schema)))
  const handlerInputSchema = lazily(() =>
    structOf(inputs, (field) =>
      field.hasDefault
        ? Schema.optionalWith(field.schema, { default: () => field.default })
        : Schema.optional(field.schema))
  )
  const outputSchema = lazily(() => Schema.Struct(outputs))
  return {
    ...declaration,
    name,
    version,
    spellings: pairsOf<Pairs>(spellings ?? []),
    sideEffects,
    get inputSchema() {
      return typed<InputOf<Inputs>>(inputSchema())
    },
    get handlerInputSchema() {
      return typed<HandlerInputOf<Inputs>>(handlerInputSchema())
    },
    get outputSchema() {
      return typed<OutputOf<Outputs>>(outputSchema())
    }
  }
}

const lazily = <A>(build: () => A): () => A => {
  let built: { readonly value: A } | undefined
  return () => (built ??= { value: build() }).value
}

// The struct is built from the fields at run time, and its type is computed from the same fields: TypeScript cannot
// follow the first, so this type-level helper joins the two.
const typed = <A>(schema: unknown) => schema as Schema.Schema<A, { readonly [name: string]: unknown }>

// The same: without `spellings` there are no pairs, and their type says so.
const pairsOf = <Pairs>(pairs: unknown) => pairs as Pairs
