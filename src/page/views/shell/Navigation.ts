import { html } from "htm/preact"
import { h } from "preact"
import { useCell, useSelected } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { fragmentOf, place, views } from "../../state/place.js"
import { pendingCount } from "../../state/Requests.js"
import { Icon } from "../parts/Icon.js"

/** The ways to the views. */
export const Navigation = ({ desk }: { readonly desk: Desk }) => {
  const { view } = useCell(place)
  const pending = useSelected(desk.approvals.requests, pendingCount)
  return html`
    <nav aria-label="Views">
      <ul>${
    views.map(({ name, title }) =>
      html`
        <li key=${name}>
          <a href=${fragmentOf(name)} aria-current=${name === view ? "page" : undefined}>
            ${h(Icon, { name })}
            <span>${title}</span>
            ${
        name === "approvals" && pending > 0 &&
        html`<span class="count">${
          pending > 99 ? "99+" : pending
        }<span class="for-screen-readers"> pending</span></span>`
      }
          </a>
        </li>`
    )
  }</ul>
    </nav>`
}
