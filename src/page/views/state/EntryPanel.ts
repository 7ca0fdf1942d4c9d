import { html } from "htm/preact"
import { h } from "preact"
import type { StateOwner } from "../../client/Client.js"
import { bytes } from "../../format/size.js"
import { visibleText } from "../../format/visible.js"
import type { EntryView } from "../../schemas/StateEntry.js"
import { Confirmed } from "../parts/Confirmed.js"
import { Icon } from "../parts/Icon.js"
import { LongText } from "../parts/LongText.js"
import { SafeText } from "../parts/SafeText.js"
import { AbsoluteTime } from "../parts/Time.js"

/** One entry of the state: its value, how it came about, and the button that deletes it. */
export const EntryPanel = ({ close, entry, owner, remove }: {
  readonly owner: StateOwner
  readonly entry: EntryView
  readonly close: () => void
  readonly remove: () => void
}) => {
  const history = entry.history ?? []
  return html`
    <section class="card entry" aria-labelledby="entry-title">
      <header>
        <h2 id="entry-title"><code>${h(SafeText, { text: entry.key })}</code></h2>
        <span class="grows"></span>
        ${
    !owner.shared && h(Confirmed, {
      label: "Delete…",
      name: `Delete ${visibleText(entry.key)}`,
      question: "Delete it? The agent no longer finds it.",
      confirm: "Delete",
      act: remove
    })
  }
        <button type="button" class="quiet icon-only" aria-label="Close" onClick=${close}>${
    h(Icon, { name: "close" })
  }</button>
      </header>
      ${h(LongText, { text: JSON.stringify(entry.value, null, 2), label: "Value" })}
      <dl class="facts">
        <div><dt>Version</dt><dd>${entry.version}</dd></div>
        ${entry.size_bytes !== undefined && html`<div><dt>Size</dt><dd>${bytes(entry.size_bytes)}</dd></div>`}
        ${
    typeof entry.owner_agent === "string" &&
    html`<div><dt>Written by</dt><dd>${h(SafeText, { text: entry.owner_agent })}</dd></div>`
  }
        <div><dt>Changed</dt><dd>${h(AbsoluteTime, { at: entry.updated_at })}</dd></div>
      </dl>
      ${
    history.length > 0 && html`
        <h3>Versions</h3>
        <ol class="versions">${
      history.map(({ size_bytes, updated_at, version }) =>
        html`
          <li key=${version}><span>${version}</span> ${h(AbsoluteTime, { at: updated_at })}
            ${size_bytes !== undefined && html`<span class="muted">${bytes(size_bytes)}</span>`}</li>`
      )
    }</ol>`
  }
    </section>`
}
