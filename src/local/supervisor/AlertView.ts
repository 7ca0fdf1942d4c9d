import * as Schema from "effect/Schema"
import { maskSecrets } from "../approvals/maskSecrets.js"
import { recordedText } from "../audit/recorded.js"
import { type Alert, AlertStatus, Severity } from "../store/Alerts.js"

/** An alert as supervisors see it, with secrets masked. */
export const AlertView = Schema.Struct({
  id: Schema.String,
  agent: Schema.String,
  severity: Severity,
  title: Schema.NullOr(Schema.String),
  message: Schema.String,
  context: Schema.Unknown,
  status: AlertStatus,
  created_at: Schema.DateTimeUtc,
  acknowledged_at: Schema.NullOr(Schema.DateTimeUtc),
  acknowledged_by: Schema.NullOr(Schema.String)
})
export interface AlertView extends Schema.Schema.Type<typeof AlertView> {}

/** A list of them; `total` is how many there are besides those that the list leaves out. */
export const AlertList = Schema.Struct({ alerts: Schema.Array(AlertView), total: Schema.Int })

export const ofAlert = (alert: Alert): AlertView => ({
  id: alert.alertId,
  agent: alert.agent,
  severity: alert.severity,
  title: alert.title === null ? null : recordedText(alert.title),
  message: recordedText(alert.message),
  context: maskSecrets(alert.context),
  status: alert.status,
  created_at: alert.createdAt,
  acknowledged_at: alert.acknowledgedAt,
  acknowledged_by: alert.acknowledgedBy
})
