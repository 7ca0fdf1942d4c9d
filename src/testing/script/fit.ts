import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { AnyCapability } from "../../catalogue/Capability.js"
import { encodeFailure } from "../../errors/encode.js"
import {
  CapabilityError,
  CapabilityUnavailable,
  InvalidInput,
  NotReversible,
  PermissionDenied,
  PolicyDenied,
  RateLimited,
  ResourceExhausted,
  ServiceUnavailable,
  SessionPaused
} from "../../errors/general.js"
import { KruxosError } from "../../errors/KruxosError.js"
import { fillSpellings } from "../../services/codec.js"
import { show } from "./show.js"

const mostIssues = 20

// A union says of each of its members what does not fit; the first says it as well as any.
const describeIssues = (error: ParseResult.ParseIssue, isFilledIn: (field: PropertyKey) => boolean): string => {
  const byPath = new Map<string, string>()
  for (const { message, path } of ParseResult.ArrayFormatter.formatIssueSync(error)) {
    if (path[0] !== undefined && isFilledIn(path[0])) continue
    const place = path.map(String).join(".")
    if (!byPath.has(place)) byPath.set(place, place === "" ? message : `${place}: ${message}`)
  }
  const lines = [...byPath.values()]
  const more = lines.length > mostIssues ? [`and ${lines.length - mostIssues} more`] : []
  return [...lines.slice(0, mostIssues), ...more].join("\n")
}

/** An output that fits its capability. */
export interface Fitting {
  readonly output: { readonly [name: string]: unknown }
  /** As it goes on the wire. */
  readonly encoded: unknown
}

/** The output where it fits its capability, with both spellings of each field, else what does not fit. */
export type EncodeOutput = (given: unknown) => Either.Either<Fitting, string>

/** Makes what encodes a capability's outputs. A field that the capability does not have does not fit either. */
export const outputEncoder = ({ name, outputSchema, spellings }: AnyCapability): EncodeOutput => {
  const encode = ParseResult.encodeUnknownEither(outputSchema, { errors: "all", onExcessProperty: "error" })
  return (given) => {
    const output = fillSpellings(given, spellings)
    // What was filled in is not told of besides what was given.
    const isFilledIn = (field: PropertyKey) =>
      Predicate.hasProperty(output, field) && !Predicate.hasProperty(given, field)
    const encoded = encode(output)
    if (Either.isLeft(encoded)) return Either.left(describeIssues(encoded.left, isFilledIn))
    return Predicate.isReadonlyRecord(output)
      ? Either.right({ output, encoded: encoded.right })
      : Either.left(`${show(given)} is no output of ${name}`)
  }
}

// What Scripts.ts lets every script fail with.
const general = Schema.is(Schema.Union(
  CapabilityError,
  InvalidInput,
  NotReversible,
  PermissionDenied,
  PolicyDenied,
  RateLimited,
  ResourceExhausted,
  ServiceUnavailable,
  SessionPaused
))

const isKruxosError = Schema.is(KruxosError)

const isListed = ({ errors }: AnyCapability, error: KruxosError): boolean =>
  // Several types of errors share this class, and each capability has its own of them.
  error instanceof CapabilityUnavailable
    ? Object.hasOwn(errors, encodeFailure(error).type)
    : Object.values(errors).some((entry) => error instanceof entry.class)

/** The failure itself where the capability can fail so, else what is wrong with it. */
export const fittingFailure = (capability: AnyCapability, failure: unknown): Either.Either<KruxosError, string> => {
  if (!isKruxosError(failure)) {
    return Either.left(`${show(failure)} is none of the errors of kruxos/errors`)
  }
  if (general(failure) || isListed(capability, failure)) return Either.right(failure)
  const own = Object.keys(capability.errors)
  const listed = own.length === 0 ? "it lists none of its own" : `it lists ${own.join(", ")}`
  return Either.left(`it never fails with ${encodeFailure(failure).type}: ${listed}`)
}
