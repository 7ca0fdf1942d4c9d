import { SqlError } from "@effect/sql/SqlError"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** A point in time as a column holds it: milliseconds since 1970. */
export const Timestamp = Schema.DateTimeUtcFromNumber

/** The rows of a statement, decoded. */
export const all = <A, I>(row: Schema.Schema<A, I>) => {
  const decode = Schema.decodeUnknown(Schema.Array(row))
  return (statement: Effect.Effect<ReadonlyArray<unknown>, SqlError>): Effect.Effect<ReadonlyArray<A>, SqlError> =>
    Effect.flatMap(
      statement,
      (rows) =>
        Effect.mapError(
          decode(rows),
          (cause) => new SqlError({ cause, message: "A row does not have the expected form" })
        )
    )
}

/** The first row of a statement, decoded. */
export const first = <A, I>(row: Schema.Schema<A, I>) => {
  const decodeAll = all(row)
  return (statement: Effect.Effect<ReadonlyArray<unknown>, SqlError>): Effect.Effect<Option.Option<A>, SqlError> =>
    Effect.map(decodeAll(Effect.map(statement, Array.take(1))), Array.head)
}

/** The row of a statement that always has one, decoded. */
export const only = <A, I>(row: Schema.Schema<A, I>) => {
  const decodeFirst = first(row)
  return (statement: Effect.Effect<ReadonlyArray<unknown>, SqlError>): Effect.Effect<A, SqlError> =>
    Effect.flatMap(
      decodeFirst(statement),
      Option.match({
        onNone: () => new SqlError({ message: "A statement that returns a row returned none" }),
        onSome: Effect.succeed
      })
    )
}

const counted = only(Schema.Struct({ count: Schema.Number }))

/** The number in the column `count` of a statement's only row. */
export const count = (statement: Effect.Effect<ReadonlyArray<unknown>, SqlError>): Effect.Effect<number, SqlError> =>
  Effect.map(counted(statement), ({ count }) => count)

const encodeText = Schema.encode(Schema.parseJson())

/** The text of a JSON value. Unlike plain text it may hold any character in any column. */
export const encodeJson = (value: unknown): Effect.Effect<string, SqlError> =>
  Effect.mapError(
    Effect.filterOrFail(
      encodeText(value),
      (text) => typeof text === "string",
      () => new TypeError("not a JSON value")
    ),
    (cause) => new SqlError({ cause, message: "A value cannot be stored as JSON" })
  )
