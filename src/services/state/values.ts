import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { BuiltIn } from "../../catalogue/builtIn.js"
import type { NameIn } from "../../catalogue/Catalogue.js"
import { byteLength } from "../../connection/Duplex.js"
import { InvalidInput, OutputMismatch } from "../../errors/general.js"
import type { KeyNotFound } from "../../errors/state.js"
import type { InvokeError } from "../Capabilities.js"
import { whereUnfit } from "../whereUnfit.js"
import { pathOfKeys, type Unfit, whyUnfit } from "./jsonForm.js"

/** The capabilities of state. */
export type StateCapability = Extract<NameIn<BuiltIn>, `state.${string}`>

/** What an operation on state fails with: the errors of its capability, but that a key is missing is no failure. */
export type StateError<Name extends StateCapability> = Exclude<InvokeError<Name>, KeyNotFound>

/** A schema of values. */
export type AnySchema = Schema.Schema.Any

const maximumKeyBytes = 512

// Control characters, and halves of characters, which no text in UTF-8 can have.
const isUnfitForKeys = /[\p{Cc}\p{Cs}]/u

const refusedText = (field: "key" | "prefix", text: string, capability: string): InvalidInput | undefined => {
  const refuse = (reason: string) =>
    new InvalidInput({ message: `The ${field} ${reason}`, capability, field, reason: `the ${field} ${reason}` })
  if (text.length > maximumKeyBytes || byteLength(text) > maximumKeyBytes) {
    return refuse(`has more than ${maximumKeyBytes} bytes`)
  }
  return isUnfitForKeys.test(text) ? refuse("has a control character, or half of a character") : undefined
}

// Keys have 1 to 512 bytes and no control characters.
const refusedKey = (key: string, capability: StateCapability): InvalidInput | undefined =>
  key === ""
    ? new InvalidInput({ message: "The key is empty", capability, field: "key", reason: "the key is empty" })
    : refusedText("key", key, capability)

/** Makes an effect that needs a key, or says what is wrong with the key. */
export const withKey = <A, E, R>(
  key: string,
  capability: StateCapability,
  make: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E | InvalidInput, R> =>
  Effect.suspend((): Effect.Effect<A, E | InvalidInput, R> => refusedKey(key, capability) ?? make())

/** As `withKey`, for the beginning of keys, which may be empty. */
export const withPrefix = <A, E, R>(
  prefix: string,
  capability: StateCapability,
  make: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E | InvalidInput, R> =>
  Effect.suspend((): Effect.Effect<A, E | InvalidInput, R> => refusedText("prefix", prefix, capability) ?? make())

const refusedValue = ({ path, reason }: Unfit, capability: StateCapability) =>
  new InvalidInput({ message: `The value at ${path}: ${reason}`, capability, field: path, reason })

// What a schema does not know is kept: a newer program may have written it.
const options = { onExcessProperty: "preserve" } as const

const longestReason = 500

const refusedBySchema = (error: ParseResult.ParseError, capability: StateCapability) => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const reason = issue?.message ?? error.message
  return refusedValue({
    path: pathOfKeys(issue?.path ?? []),
    reason: reason.length > longestReason ? `${reason.slice(0, longestReason)}…` : reason
  }, capability)
}

const checked = (value: unknown, mayLack: boolean, capability: StateCapability) => {
  const unfit = whyUnfit(value, mayLack)
  return unfit === undefined ? Effect.succeed(value) : Effect.fail(refusedValue(unfit, capability))
}

/** A value as it is sent; one that is not JSON, or too large, is refused by the path of what is wrong. */
export const writeValue = (
  value: unknown,
  schema: AnySchema | undefined,
  capability: StateCapability
): Effect.Effect<unknown, InvalidInput, unknown> =>
  schema === undefined
    ? checked(value, false, capability)
    : Schema.encodeUnknown(schema, options)(value).pipe(
      Effect.mapError((error) => refusedBySchema(error, capability)),
      // What a schema leaves undefined, it also takes for undefined where it is missing.
      Effect.flatMap((encoded) => checked(encoded, true, capability))
    )

const described = (key: string, version: number | undefined) =>
  version === undefined ? key : `${key} (version ${version})`

/** A value as it was stored; one that does not fit the schema is kept in the error. */
export const readValue = (
  stored: { readonly key: string; readonly value?: unknown; readonly version?: number | undefined },
  schema: AnySchema | undefined,
  capability: StateCapability
): Effect.Effect<unknown, OutputMismatch, unknown> =>
  schema === undefined
    ? Effect.succeed(stored.value)
    : Effect.mapError(Schema.decodeUnknown(schema, options)(stored.value), (cause) =>
      new OutputMismatch({
        message: `The value of ${described(stored.key, stored.version)} does not fit its schema: ${whereUnfit(cause)}`,
        capability,
        raw: stored.value,
        cause
      }))

/** Says that a gateway has left out what an entry needs. */
export const incomplete = (key: string, raw: unknown, capability: StateCapability) =>
  new OutputMismatch({ message: `The gateway found ${key}, and does not say what it is`, capability, raw })

/** Reads the version of a key that a gateway was asked for; None where it has found none. */
export const readVersion = (
  key: string,
  output: { readonly found: boolean; readonly value?: unknown; readonly version?: number | undefined },
  schema: AnySchema | undefined,
  capability: StateCapability
): Effect.Effect<
  Option.Option<{ readonly key: string; readonly value: unknown; readonly version: number }>,
  OutputMismatch,
  unknown
> => {
  const { found, value, version } = output
  if (!found) return Effect.succeedNone
  if (value === undefined || version === undefined) return Effect.fail(incomplete(key, output, capability))
  return Effect.map(
    readValue({ key, value, version }, schema, capability),
    (read) => Option.some({ key, value: read, version })
  )
}

/** Sorts out the arguments of an operation whose schema may be left out. */
export const schemaAndOptions = <Options extends object>(
  second: AnySchema | Options | undefined,
  third: Options | undefined
): { readonly schema: AnySchema | undefined; readonly options: Options | undefined } =>
  Schema.isSchema(second) ? { schema: second, options: third } : { schema: undefined, options: third ?? second }

/** What is stored without a schema: anything but a schema, which then lacks its value. */
export type PlainValue<A> = A extends Schema.Schema.All ? never : A

/** The arguments of `set` after the key. */
export type SetArguments<Options extends ReadonlyArray<unknown>> =
  | readonly [value: unknown, ...options: Options]
  | readonly [schema: AnySchema, value: unknown, ...options: Options]

const hasSchema = <Options extends ReadonlyArray<unknown>>(
  given: SetArguments<Options>
): given is readonly [schema: AnySchema, value: unknown, ...options: Options] => Schema.isSchema(given[0])

/** Sorts them out. */
export const setArguments = <Options extends ReadonlyArray<unknown>>(given: SetArguments<Options>) => {
  if (hasSchema(given)) {
    const [schema, value, ...options] = given
    return { schema, value, options }
  }
  const [value, ...options] = given
  return { schema: undefined, value, options }
}

/** The argument of what lists keys; the empty prefix is none. */
export const prefixOf = (prefix: string): { readonly prefix?: string } => prefix === "" ? {} : { prefix }
