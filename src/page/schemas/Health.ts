import * as Schema from "effect/Schema"
import { DateTimeUtc } from "../../schema/primitives.js"

/** What `GET /api/health` answers. */
export const Health = Schema.Struct({
  status: Schema.String,
  components: Schema.Array(Schema.Struct({
    name: Schema.String,
    status: Schema.String,
    message: Schema.optional(Schema.NullOr(Schema.String))
  })),
  resource_usage: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  checked_at: DateTimeUtc
})
export interface Health extends Schema.Schema.Type<typeof Health> {}
