import { html } from "htm/preact"
import { useCell } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"

/** Tells screen readers politely what comes in. */
export const LiveRegion = ({ desk }: { readonly desk: Desk }) =>
  html`<div class="for-screen-readers" role="status" aria-live="polite">${useCell(desk.attention.spoken)}</div>`
