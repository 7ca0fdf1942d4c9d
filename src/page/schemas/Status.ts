import * as Schema from "effect/Schema"
import { DateTimeUtc } from "../../schema/primitives.js"

/** What `GET /api/status` answers. */
export const Status = Schema.Struct({
  gateway: Schema.Struct({
    name: Schema.String,
    version: Schema.String,
    started_at: DateTimeUtc,
    uptime_seconds: Schema.Number,
    policy: Schema.String,
    draining: Schema.Boolean
  }),
  agents: Schema.Struct({
    total: Schema.Number,
    active: Schema.Number,
    paused: Schema.Number,
    revoked: Schema.Number
  }),
  sessions: Schema.Struct({ open: Schema.Number }),
  approvals: Schema.Struct({ pending: Schema.Number })
})
export interface Status extends Schema.Schema.Type<typeof Status> {}
