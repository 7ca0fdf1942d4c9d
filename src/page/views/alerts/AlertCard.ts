import { html } from "htm/preact"
import { h } from "preact"
import { toneOfSeverity } from "../../format/eventWords.js"
import { visibleText } from "../../format/visible.js"
import type { AlertView } from "../../schemas/Alert.js"
import { useCell } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { Badge } from "../parts/Badge.js"
import { JsonValue } from "../parts/JsonValue.js"
import { LongText } from "../parts/LongText.js"
import { AgentName } from "../parts/Name.js"
import { SafeText } from "../parts/SafeText.js"
import { RelativeTime } from "../parts/Time.js"

const Standing = ({ alert, desk }: { readonly desk: Desk; readonly alert: AlertView }) => {
  const { busy } = useCell(desk.alerts.known)
  if (alert.status === "pending") {
    const isBusy = busy.has(alert.id)
    return html`
      <button type="button" aria-label="Acknowledge ${visibleText(alert.title ?? `the alert of ${alert.agent}`)}"
        disabled=${isBusy} onClick=${() => desk.run(desk.alerts.acknowledge(alert.id))}>${
      isBusy ? "Acknowledging…" : "Acknowledge"
    }</button>`
  }
  return html`<span class="muted">Acknowledged by ${h(SafeText, { text: alert.acknowledged_by ?? "nobody" })}${
    alert.acknowledged_at === null ? "" : html`, ${h(RelativeTime, { at: alert.acknowledged_at })}`
  }</span>`
}

/** An alert: how severe it is, whose, what it says, and the button that acknowledges it. */
export const AlertCard = ({ alert, desk }: { readonly desk: Desk; readonly alert: AlertView }) => {
  const title = `alert-title-${alert.id}`
  return html`
    <article class="card alert" data-alert=${alert.id} data-severity=${alert.severity} aria-labelledby=${title}>
      <header>
        ${h(Badge, { tone: toneOfSeverity(alert.severity), children: h(SafeText, { text: alert.severity }) })}
        <h3 id=${title}>${h(SafeText, { text: alert.title ?? "Alert" })}</h3>
        ${h(AgentName, { name: alert.agent })}
        <span class="muted">${h(RelativeTime, { at: alert.created_at })}</span>
        <span class="grows"></span>
        ${h(Standing, { desk, alert })}
      </header>
      ${h(LongText, { text: alert.message, label: "The whole message" })}
      ${
    alert.context !== null &&
    html`<details class="fine"><summary>Context</summary>${
      h(JsonValue, { value: alert.context, label: "Context" })
    }</details>`
  }
    </article>`
}
