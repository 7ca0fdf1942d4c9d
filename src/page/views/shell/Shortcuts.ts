import { html } from "htm/preact"
import { h } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { useCell } from "../../state/Cell.js"
import { shortcuts, shortcutsAreOn } from "../../state/shortcuts.js"
import { Icon } from "../parts/Icon.js"

/** What can be done by keyboard, and the switch that turns it off. */
export const Shortcuts = ({ close }: { readonly close: () => void }) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const areOn = useCell(shortcutsAreOn)
  useEffect(() => dialog.current?.showModal(), [])
  return html`
    <dialog ref=${dialog} aria-labelledby="shortcuts-title" onClose=${close}>
      <header>
        <h2 id="shortcuts-title">Keyboard</h2>
        <button type="button" class="quiet icon-only" aria-label="Close" onClick=${() => dialog.current?.close()}>
          ${h(Icon, { name: "close" })}
        </button>
      </header>
      <dl class="shortcuts">${
    shortcuts.map(({ does, keys }) =>
      html`
        <div key=${does}><dt>${keys.map((key) => html`<kbd key=${key}>${key}</kbd>`)}</dt><dd>${does}</dd></div>`
    )
  }</dl>
      <label class="switch"><input type="checkbox" checked=${areOn} onChange=${() => shortcutsAreOn.set(!areOn)} />
        Single keys do this</label>
    </dialog>`
}
