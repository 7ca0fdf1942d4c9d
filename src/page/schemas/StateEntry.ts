import * as Schema from "effect/Schema"
import { DateTimeUtc } from "../../schema/primitives.js"

const described = {
  key: Schema.String,
  version: Schema.Number,
  size_bytes: Schema.optional(Schema.Number),
  owner_agent: Schema.optional(Schema.NullOr(Schema.String)),
  updated_at: DateTimeUtc
}

/** An entry of the state without its value. */
export const EntrySummary = Schema.Struct(described)
export interface EntrySummary extends Schema.Schema.Type<typeof EntrySummary> {}

/** What lists of state answer, an agent's or the shared one. */
export const EntryList = Schema.Struct({
  entries: Schema.Array(EntrySummary),
  count: Schema.Number,
  total_size_bytes: Schema.Number,
  limit_bytes: Schema.optional(Schema.NullOr(Schema.Number))
})
export interface EntryList extends Schema.Schema.Type<typeof EntryList> {}

/** An entry with its value, and the versions before it as far as they are kept. */
export const EntryView = Schema.Struct({
  ...described,
  value: Schema.Unknown,
  created_at: Schema.optional(Schema.NullOr(DateTimeUtc)),
  history: Schema.optional(Schema.Array(Schema.Struct({
    version: Schema.Number,
    updated_at: DateTimeUtc,
    size_bytes: Schema.optional(Schema.Number)
  })))
})
export interface EntryView extends Schema.Schema.Type<typeof EntryView> {}

/** What deleting an entry answers. */
export const Deletion = Schema.Struct({ deleted: Schema.Unknown })
