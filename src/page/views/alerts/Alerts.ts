import { html } from "htm/preact"
import { h } from "preact"
import { counted } from "../../format/size.js"
import type { AlertView } from "../../schemas/Alert.js"
import { useCell } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { Empty, Loading } from "../parts/Empty.js"
import { ViewTitle } from "../parts/ViewTitle.js"
import { AlertCard } from "./AlertCard.js"

const isPending = ({ status }: AlertView) => status === "pending"

const section = (desk: Desk, id: string, title: string, alerts: ReadonlyArray<AlertView>) =>
  alerts.length === 0 ? null : html`
    <section aria-labelledby=${id}>
      <h2 id=${id} class=${id === "pending-alerts" ? "for-screen-readers" : ""}>${title}</h2>
      <div class="requests">${alerts.map((alert) => h(AlertCard, { key: alert.id, desk, alert }))}</div>
    </section>`

/** What agents have told their supervisors, and the gateway of what they have scheduled: the pending alerts, then the others. */
export const Alerts = ({ desk }: { readonly desk: Desk }) => {
  const { alerts, isLoaded, pending, total } = useCell(desk.alerts.known)
  const hasMore = alerts.length < total
  return html`
    ${
    h(ViewTitle, {
      title: "Alerts",
      note: !isLoaded ? "" : pending === 0 ? "Nothing to acknowledge" : `${counted(pending, "alert")} to acknowledge`
    })
  }
    ${
    !isLoaded
      ? h(Loading, {})
      : alerts.length === 0
      ? h(Empty, {
        icon: "alerts",
        title: "No alerts",
        text: "What agents report with alerts.send appears here at once."
      })
      : html`
        ${section(desk, "pending-alerts", "Pending", alerts.filter(isPending))}
        ${section(desk, "acknowledged-alerts", "Acknowledged", alerts.filter((alert) => !isPending(alert)))}
        ${
        hasMore &&
        html`<button type="button" class="more" onClick=${() => desk.run(desk.alerts.loadOlder)}>Show older</button>`
      }`
  }`
}
