import * as Schema from "effect/Schema"
import { DateTimeUtc } from "../../schema/primitives.js"

/** An alert, as `GET /api/alerts/ID` answers it. */
export const AlertView = Schema.Struct({
  id: Schema.String,
  agent: Schema.String,
  severity: Schema.String,
  title: Schema.NullOr(Schema.String),
  message: Schema.String,
  context: Schema.Unknown,
  status: Schema.String,
  created_at: DateTimeUtc,
  acknowledged_at: Schema.NullOr(DateTimeUtc),
  acknowledged_by: Schema.NullOr(Schema.String)
})
export interface AlertView extends Schema.Schema.Type<typeof AlertView> {}

/** What `GET /api/alerts` answers, the newest first. */
export const AlertList = Schema.Struct({ alerts: Schema.Array(AlertView), total: Schema.Number })
