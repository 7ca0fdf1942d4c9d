import * as Schema from "effect/Schema"
import { AlertNotFound } from "../errors/alerts.js"
import { CapabilityUnavailable } from "../errors/general.js"
import { DateTimeUtc, Integer, Json, openEnumeration } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const Severity = openEnumeration("info", "warning", "critical")

const failed = { AlertError: failure(CapabilityUnavailable, "retry") }

export const send = make("alerts.send", {
  tier: "autonomous",
  tags: ["alerts", "supervision", "safe"],
  inputs: {
    message: Schema.String,
    severity: optional(Schema.Literal("info", "warning", "critical"), "info"),
    title: optional(Schema.String),
    context: optional(Schema.Record({ key: Schema.String, value: Json }))
  },
  outputs: {
    alert_id: Schema.String,
    delivered_to: openEnumeration("file_queue", "dashboard"),
    severity: Severity
  },
  errors: failed,
  sideEffects: ["not reversible"]
})

export const list = make("alerts.list", {
  tier: "autonomous",
  tags: ["alerts", "supervision", "safe", "read"],
  inputs: {
    status: optional(Schema.Literal("pending", "acknowledged", "all"), "all"),
    limit: optional(Integer.pipe(Schema.positive()), 50)
  },
  outputs: {
    alerts: Schema.Array(Schema.Struct({
      alert_id: Schema.String,
      message: Schema.String,
      severity: Severity,
      status: openEnumeration("pending", "acknowledged"),
      created_at: DateTimeUtc,
      acknowledged_at: Schema.NullOr(DateTimeUtc),
      acknowledged_by: Schema.NullOr(Schema.String)
    })),
    total: Integer
  },
  errors: failed
})

export const acknowledge = make("alerts.acknowledge", {
  tier: "notify",
  tags: ["alerts", "supervision", "acknowledge"],
  inputs: { alert_id: Schema.String, acknowledged_by: optional(Schema.String) },
  outputs: { acknowledged: Schema.Boolean, alert_id: Schema.String },
  errors: { AlertNotFound: failure(AlertNotFound, "list_alerts"), ...failed },
  sideEffects: ["not reversible"]
})
