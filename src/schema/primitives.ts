import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/**
 * Annotation that names the KruxOS wire type of a schema (`FilesystemPath`, `DateTime`, …), where the schema's own
 * structure does not tell it.
 */
export const WireType: unique symbol = Symbol.for("kruxos/schema/WireType")

const named = (wireType: string) => Schema.String.annotations({ [WireType]: wireType })

/** A path of the agent's workspace: `/workspace/…`, or relative to the workspace. */
export const FilesystemPath = named("FilesystemPath")

/** A glob pattern: `*`, `**`, `?`, `[…]`, `{a,b}`. */
export const GlobPattern = named("GlobPattern")

/** A URL as text. */
export const Url = named("URL")

/** The name of an agent. */
export const AgentId = named("AgentId")

/** The id of a session. */
export const SessionId = named("SessionId")

/** A SHA-256 digest: 64 hexadecimal characters. */
export const Sha256 = Schema.String.pipe(
  Schema.pattern(/^[0-9a-fA-F]{64}$/, { message: () => "a SHA-256 digest has 64 hexadecimal characters" }),
  Schema.annotations({ [WireType]: "SHA256" })
)

/** A whole number. */
export const Integer = Schema.Int.annotations({ [WireType]: "Integer" })

/** A whole number of at least zero. */
export const NonNegativeInteger = Schema.NonNegativeInt.annotations({ [WireType]: "Integer" })

/** A number with a fraction. */
export const Float = Schema.Finite.annotations({ [WireType]: "Float" })

/** Any JSON value. */
export const Json = Schema.Unknown.annotations({ [WireType]: "Object" })

const hasZone = /(?:z|[+-]\d{2}:?\d{2})$/i

const parseUtc = (text: string): Option.Option<DateTime.Utc> => {
  // As most of them come; the same without looking for other zones.
  if (text.endsWith("Z")) {
    const milliseconds = Date.parse(text)
    return Number.isNaN(milliseconds) ? Option.none() : Option.some(DateTime.unsafeMake(milliseconds))
  }
  const dateOnly = /^\d{4}-\d{2}-\d{2}$/.test(text)
  return Option.map(DateTime.make(dateOnly || hasZone.test(text) ? text : `${text}Z`), DateTime.toUtc)
}

/** An ISO 8601 point in time; text without a zone means UTC. */
export const DateTimeUtc = Schema.transformOrFail(Schema.String, Schema.DateTimeUtcFromSelf, {
  strict: true,
  decode: (text, _options, ast) =>
    Either.fromOption(parseUtc(text), () => new ParseResult.Type(ast, text, "not an ISO 8601 date and time")),
  encode: (dateTime) => ParseResult.succeed(DateTime.formatIso(dateTime))
}).annotations({ [WireType]: "DateTime", identifier: "DateTime", jsonSchema: { type: "string", format: "date-time" } })

/** A wall-clock time of some time zone, kept as the text it came as: a point in time would forget the clock. */
export const LocalDateTime = named("DateTime")

/**
 * An enumeration that may grow: the listed values complete in an editor, and any other string decodes too, so that a
 * newer gateway does not break an older client.
 */
export const openEnumeration = <const Values extends ReadonlyArray<string>>(
  ...values: Values
): Schema.Schema<Values[number] | (string & {}), string> =>
  Schema.String.annotations({ jsonSchema: { type: "string", examples: [...values] } })
