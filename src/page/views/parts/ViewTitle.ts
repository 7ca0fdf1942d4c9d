import { html } from "htm/preact"
import type { ComponentChildren } from "preact"

/** The heading of a view, with a note about what it shows and what can be done with all of it. */
export const ViewTitle = ({ children, note, title }: {
  readonly title: string
  readonly note: string
  readonly children?: ComponentChildren
}) =>
  html`
    <header class="view-title">
      <h1>${title}</h1>
      ${note !== "" && html`<p class="note">${note}</p>`}
      <div class="view-actions">${children}</div>
    </header>`
