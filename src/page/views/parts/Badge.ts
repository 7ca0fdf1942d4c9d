import { html } from "htm/preact"
import type { ComponentChildren } from "preact"

/** A short word about a standing; the tone is a colour, and never the only thing that tells it. */
export const Badge = ({ children, tone }: { readonly tone: string; readonly children: ComponentChildren }) =>
  html`<span class="badge ${tone}">${children}</span>`
