import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { type AnyCapability, inputField } from "../catalogue/Capability.js"
import { type AnyCatalogue, type Input, type InvokeErrorIn, type NameIn, type Output } from "../catalogue/Catalogue.js"
import { invalidInputOf } from "../catalogue/invalidInput.js"
import { isReplayable } from "../catalogue/replayable.js"
import { type Meter, meterOf } from "../connection/Meter.js"
import { CapabilityError, GeneralError, type InvalidInput, OutputMismatch } from "../errors/general.js"
import { isGatewayError, type KruxosError } from "../errors/KruxosError.js"
import { readerOf, unfit } from "../schema/quick.js"
import { whereUnfit } from "./whereUnfit.js"

/** What an invocation sends. */
export interface Arguments {
  readonly [name: string]: unknown
}

/** How the values of one capability are written, and how its answers are read. */
export interface Codec<I, O, E> {
  readonly capability: AnyCapability
  /** Whether it may be invoked again where no answer came. */
  readonly replayable: boolean
  /** Whether an MCP gateway answers with the bare text of the content. */
  readonly answersWithText: boolean
  /** What counts its invocations. */
  readonly meter: Meter
  readonly encode: (input: I | undefined) => Either.Either<Arguments, InvalidInput>
  readonly decode: (raw: unknown) => Either.Either<O, OutputMismatch>
  /** Whether a value has the form of the output. */
  readonly fits: (raw: unknown) => boolean
  /** The error as the signature has it: one that the capability does not list becomes CapabilityError. */
  readonly narrow: (error: KruxosError) => E
  /** An invocation with its output and its errors as the signature has them. */
  readonly settle: (invoked: Effect.Effect<unknown, KruxosError>) => Effect.Effect<O, E>
}

const generalTags = new Set<string>(GeneralError.members.map(({ _tag }) => _tag))

/** An output with both fields of each pair where one is there. */
export const fillSpellings = (raw: unknown, spellings: AnyCapability["spellings"]): unknown => {
  if (!Predicate.isRecord(raw) || spellings.length === 0) return raw
  const filled: Record<string, unknown> = { ...raw }
  for (const [one, other] of spellings) {
    filled[one] ??= filled[other]
    filled[other] ??= filled[one]
    if (filled[one] === undefined) {
      delete filled[one]
      delete filled[other]
    }
  }
  return filled
}

const asCapabilityError = (error: KruxosError) =>
  new CapabilityError({
    type: error.type,
    message: error.message,
    recovery: error.recovery,
    retryable: error.retryable,
    retryAfter: error.retryAfter,
    context: error.context,
    capability: error.capability,
    cause: error
  })

const preserve = { onExcessProperty: "preserve" } as const

const make = (capability: AnyCapability): Codec<unknown, unknown, KruxosError> => {
  const encode = Schema.encodeUnknownEither(capability.inputSchema, { onExcessProperty: "error" })
  const decodeSlowly = Schema.decodeUnknownEither(capability.outputSchema, preserve)
  const isDecodable = ParseResult.decodeUnknownEither(capability.outputSchema, preserve)
  const read = readerOf(capability.outputSchema.ast)
  const ownTags = new Set(Object.values(capability.errors).map((entry) => tagOf(entry.class)))

  const decode = (raw: unknown): Either.Either<unknown, OutputMismatch> => {
    const filled = fillSpellings(raw, capability.spellings)
    const quick = read(filled)
    if (quick !== unfit) return Either.right(quick)
    return Either.mapLeft(decodeSlowly(filled), (cause) =>
      new OutputMismatch({
        message: `The output of ${capability.name} does not have the form that the catalogue gives it: ${
          whereUnfit(cause)
        }`,
        capability: capability.name,
        raw,
        cause
      }))
  }

  const narrow = (error: KruxosError) =>
    generalTags.has(error._tag) || ownTags.has(error._tag) || isGatewayError(error) ? error : asCapabilityError(error)

  // Made once, and not for each invocation.
  const handlers = {
    onFailure: (error: KruxosError) => Effect.fail(narrow(error)),
    onSuccess: decode
  }

  return {
    capability,
    replayable: isReplayable(capability),
    answersWithText: "content" in capability.outputs,
    meter: meterOf("client", capability.name),
    encode: (input) => Either.mapLeft(encode(input ?? {}), (error) => invalidInputOf(error, capability.name)),
    decode,
    fits: (raw) => {
      const filled = fillSpellings(raw, capability.spellings)
      // Makes no message of what is wrong with it.
      return read(filled) !== unfit || Either.isRight(isDecodable(filled))
    },
    narrow,
    settle: (invoked) => Effect.matchEffect(invoked, handlers)
  }
}

const tagOf = (errorClass: object): string =>
  "_tag" in errorClass && typeof errorClass._tag === "string" ? errorClass._tag : ""

const codecs = new WeakMap<AnyCapability, Codec<unknown, unknown, KruxosError>>()

const codecOfCapability = (capability: AnyCapability) => {
  const known = codecs.get(capability)
  if (known !== undefined) return known
  const made = make(capability)
  codecs.set(capability, made)
  return made
}

/**
 * The codec of a capability, compiled at its first use. This is the type-level helper that joins what the catalogue holds
 * at run time to the types that are computed from it.
 */
export const codecOf = <C extends AnyCatalogue, Name extends NameIn<C>>(catalogue: C, name: Name) => {
  const capability: AnyCapability | undefined = Object.hasOwn(catalogue, name) ? catalogue[name] : undefined
  return capability === undefined
    ? undefined
    : codecOfCapability(capability) as Codec<Input<C, Name>, Output<C, Name>, InvokeErrorIn<C, Name>>
}

/** The seconds that the capability itself may take: its `timeout` as given, or as the gateway fills it in. */
export const ownTimeoutSeconds = (capability: AnyCapability, input: Arguments): number | undefined => {
  const field = capability.inputs["timeout"]
  if (field === undefined) return undefined
  const seconds = input["timeout"] ?? inputField(field).default
  return typeof seconds === "number" ? seconds : undefined
}
