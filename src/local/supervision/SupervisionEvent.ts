import * as Schema from "effect/Schema"
import { DateTimeUtc } from "../../schema/primitives.js"

/** What supervisors can be told of. A later gateway may tell of more. */
export const eventTypes = [
  "capability_invoked",
  "capability_result",
  "capability_error",
  "policy_violation",
  "approval_requested",
  "approval_resolved",
  "session_started",
  "session_ended",
  "rate_limit_hit",
  "write_buffered",
  "health_alert",
  "alert_sent",
  "alert_acknowledged"
] as const

/** The type of something that supervisors are told. */
export type EventType = typeof eventTypes[number]

/** Something that happened at a gateway, as supervisors are told it; `agent` is null where it is about the gateway itself. */
export const SupervisionEvent = Schema.Struct({
  type: Schema.String,
  timestamp: DateTimeUtc,
  agent: Schema.NullOr(Schema.String),
  session_id: Schema.optional(Schema.String),
  data: Schema.Record({ key: Schema.String, value: Schema.Unknown })
})
export interface SupervisionEvent extends Schema.Schema.Type<typeof SupervisionEvent> {}
