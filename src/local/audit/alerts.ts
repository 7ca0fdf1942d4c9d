import type { AlertChange } from "../store/Alerts.js"
import type { About, Details, Kind } from "./facts.js"
import { recordedText } from "./recorded.js"

const longest = 1024

const shortened = (text: string) => recordedText(text.length <= longest ? text : `${text.slice(0, longest)}…`)

/** What the log says of an alert that was sent or acknowledged. */
export const aboutAlert = (
  { alert, change }: AlertChange
): { readonly kind: Kind; readonly about: About; readonly details: Details } => ({
  kind: change === "sent" ? "alert_sent" : "alert_acknowledged",
  about: { agent: alert.agent },
  details: {
    alert_id: alert.alertId,
    severity: alert.severity,
    title: alert.title === null ? undefined : shortened(alert.title),
    message: shortened(alert.message),
    by: alert.acknowledgedBy === null ? undefined : shortened(alert.acknowledgedBy)
  }
})
