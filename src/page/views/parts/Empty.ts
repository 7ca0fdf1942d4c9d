import { html } from "htm/preact"
import { h } from "preact"
import { Icon, type IconName } from "./Icon.js"

/** Says that there is nothing, and what would be here. */
export const Empty = (
  { icon, text, title }: { readonly icon: IconName; readonly title: string; readonly text: string }
) => html`<div class="nothing">${h(Icon, { name: icon })}<p class="nothing-title">${title}</p><p>${text}</p></div>`

/** Stands for what is being loaded. */
export const Loading = () => html`<p class="loading">Loading…</p>`
