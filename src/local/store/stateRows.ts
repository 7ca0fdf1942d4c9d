import * as Schema from "effect/Schema"

/*
 * The rows of the statements of versioned state. They are decoded at once: an Effect for each costs more than the statement.
 */
const key = Schema.String
const number = Schema.Number
const maybe = Schema.NullOr(Schema.Number)

const decoderOf = <A, I>(row: Schema.Schema<A, I>) => Schema.decodeUnknownSync(Schema.Array(row))

export const standing = decoderOf(Schema.Struct({
  used: number,
  keys: number,
  removed: number,
  floor: number,
  changes: number,
  version: maybe,
  isRemoved: maybe,
  owner: Schema.NullOr(Schema.String),
  createdAt: maybe,
  oldestSize: maybe
}))

export const versions = decoderOf(Schema.Struct({
  value: Schema.String,
  version: number,
  size: number,
  owner: Schema.String,
  createdAt: number,
  updatedAt: number
}))

export const sizes = decoderOf(Schema.Struct({ version: number, size: number, updatedAt: number }))

export const summary = { key, version: number, size: number, owner: Schema.String, updatedAt: number }

export const summaries = decoderOf(Schema.Struct(summary))

export const values = decoderOf(Schema.Struct({ ...summary, createdAt: number, value: Schema.String }))

export const total = decoderOf(Schema.Struct({ count: number, size: number }))

export const removed = decoderOf(Schema.Struct({ key, version: number }))

export const changes = decoderOf(
  Schema.Struct({ key, version: number, owner: Schema.String, isRemoved: number, number })
)

export const newest = decoderOf(Schema.Struct({ version: number, isRemoved: number }))

export const trace = decoderOf(Schema.Struct({
  version: number,
  isRemoved: number,
  source: Schema.String,
  kept: number,
  isKept: number,
  own: maybe,
  ownPrevious: maybe
}))
