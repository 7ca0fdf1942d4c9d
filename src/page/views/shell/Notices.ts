import { html } from "htm/preact"
import { h } from "preact"
import { useCell } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { Icon } from "../parts/Icon.js"

/** What the person should know about the page itself. */
export const Notices = ({ desk: { notices } }: { readonly desk: Desk }) =>
  html`<div class="notices" role="status">${
    useCell(notices.notices).map(({ number, text, tone }) =>
      html`
      <p key=${number} class="notice ${tone}">
        <span>${text}</span>
        <button type="button" class="quiet icon-only" aria-label="Dismiss" onClick=${() => notices.putAway(number)}>
          ${h(Icon, { name: "close" })}
        </button>
      </p>`
    )
  }</div>`
