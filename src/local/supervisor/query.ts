import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { DateTimeUtc } from "../../schema/primitives.js"

/** A request asks for what nobody can give; the message says what can be asked for. */
export class InvalidQuery extends Data.TaggedError("InvalidQuery")<{ readonly message: string }> {}

const matching = (pattern: RegExp) => Schema.String.pipe(Schema.pattern(pattern))

const wholeNumber = (from: number, to: number) =>
  matching(/^\d{1,16}$/).pipe(
    Schema.compose(Schema.NumberFromString),
    Schema.compose(Schema.Int.pipe(Schema.between(from, to)))
  )

/** How many at most. */
export const limit = Schema.optional(wholeNumber(1, 1000))

/** How many to leave out before. */
export const offset = Schema.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER))

/** The name of an agent. */
export const agent = Schema.optional(matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/))

/** A capability; `*` stands for any text. */
export const capability = Schema.optional(matching(/^[A-Za-z0-9_.*-]{1,200}$/))

/** The id of a transaction. */
export const transaction = Schema.optional(matching(/^[A-Za-z0-9._-]{1,64}$/))

const time = matching(/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/)

const millis = Schema.transform(Schema.DateTimeUtcFromSelf, Schema.Number, {
  strict: true,
  decode: DateTime.toEpochMillis,
  encode: (millis) => DateTime.unsafeMake(millis)
})

/** The earliest time, in milliseconds since 1970. */
export const since = Schema.optional(time.pipe(Schema.compose(DateTimeUtc), Schema.compose(millis)))

/** What is said to whoever gives a parameter another form. */
export const allowed = {
  limit: "limit is 1 to 1000",
  offset: "offset is a whole number",
  agent: "agent is the name of one: 1 to 64 letters, digits, \"-\", \"_\" and \".\", with a letter or digit first",
  capability: "capability is the name of one, in which a star stands for any text",
  transaction: "transaction is the id of one",
  since: "since is a time such as 2026-01-31T12:00:00Z"
}

/**
 * Makes what reads the parameters of a request. It fails with InvalidQuery where one has another form, comes twice, or is not known:
 * to leave it out would answer another question.
 */
export const make = <Fields extends Schema.Struct.Fields>(fields: Fields, texts: ReadonlyArray<string>) => {
  const names = Object.keys(fields)
  const message = names.length === 0
    ? "This takes no parameters"
    : `Parameters are ${names.join(", ")}, each of them at most once: ${texts.join("; ")}`
  const decode = Schema.decodeUnknown(Schema.Struct(fields))
  return (query: URLSearchParams) => {
    const given = [...query.keys()]
    const isKnown = given.every((name) => names.includes(name)) && new Set(given).size === given.length
    return isKnown
      ? Effect.mapError(decode(Object.fromEntries(query)), () => new InvalidQuery({ message }))
      : Effect.fail(new InvalidQuery({ message }))
  }
}

/** Makes sure that a request has no parameters. */
export const none = make({}, [])
