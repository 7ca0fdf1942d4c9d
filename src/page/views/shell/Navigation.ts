import { html } from "htm/preact"
import { h } from "preact"
import { pendingAlerts } from "../../state/alerts.js"
import { useCell, useSelected } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { fragmentOf, place, views } from "../../state/place.js"
import { pendingCount } from "../../state/Requests.js"
import { Icon } from "../parts/Icon.js"

/** The ways to the views. */
export const Navigation = ({ desk }: { readonly desk: Desk }) => {
  const { view } = useCell(place)
  const requests = useSelected(desk.approvals.requests, pendingCount)
  const alerts = useSelected(desk.alerts.known, pendingAlerts)
  const counts: { readonly [name: string]: number } = { approvals: requests, alerts }
  return html`
    <nav aria-label="Views">
      <ul>${
    views.map(({ name, title }) => {
      const pending = counts[name] ?? 0
      return html`
        <li key=${name}>
          <a href=${fragmentOf(name)} aria-current=${name === view ? "page" : undefined}>
            ${h(Icon, { name })}
            <span>${title}</span>
            ${
        pending > 0 &&
        html`<span class="count">${
          pending > 99 ? "99+" : pending
        }<span class="for-screen-readers"> pending</span></span>`
      }
          </a>
        </li>`
    })
  }</ul>
    </nav>`
}
