import { html } from "htm/preact"
import { h } from "preact"
import { type Appearance, appearance } from "../../state/appearance.js"
import { useCell } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { signOut } from "../../state/session.js"
import { Icon } from "../parts/Icon.js"
import { Connection } from "./Connection.js"

const next: { readonly [A in Appearance]: Appearance } = { system: "light", light: "dark", dark: "system" }

const AppearanceButton = () => {
  const current = useCell(appearance)
  const label = `Appearance: ${current}`
  return html`
    <button type="button" class="quiet icon-only" aria-label=${label} title=${label} onClick=${() =>
    appearance.set(next[current])}>${h(Icon, { name: current })}</button>`
}

/** What is always there: the name, the connection, and what is about the page as a whole. */
export const Header = ({ desk, showShortcuts }: { readonly desk: Desk; readonly showShortcuts: () => void }) =>
  html`
    <header class="top" role="banner">
      <a class="brand" href="#/approvals"><img src="/icon.svg" alt="" width="26" height="26" /><span>KruxOS</span></a>
      ${h(Connection, { desk })}
      <span class="grows"></span>
      ${h(AppearanceButton, {})}
      <button type="button" class="quiet icon-only keyboard-only" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)"
        onClick=${showShortcuts}>${h(Icon, { name: "keyboard" })}</button>
      <button type="button" class="quiet icon-only" aria-label="Forget token" title="Forget token" onClick=${() =>
    signOut()}>
        ${h(Icon, { name: "leave" })}
      </button>
    </header>`
