import { html } from "htm/preact"
import { type ComponentType, h } from "preact"
import { useEffect, useState } from "preact/hooks"
import { useCell } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { place, type ViewName } from "../../state/place.js"
import { session } from "../../state/session.js"
import { startShortcuts } from "../../state/shortcuts.js"
import { Activity } from "../activity/Activity.js"
import { Agents } from "../agents/Agents.js"
import { Alerts } from "../alerts/Alerts.js"
import { Approvals } from "../approvals/Approvals.js"
import { Health } from "../health/Health.js"
import { StateExplorer } from "../state/StateExplorer.js"
import { Header } from "./Header.js"
import { LiveRegion } from "./LiveRegion.js"
import { Navigation } from "./Navigation.js"
import { Notices } from "./Notices.js"
import { Shortcuts } from "./Shortcuts.js"
import { SignIn } from "./SignIn.js"

const shown: { readonly [Name in ViewName]: ComponentType<{ readonly desk: Desk }> } = {
  approvals: Approvals,
  alerts: Alerts,
  activity: Activity,
  agents: Agents,
  state: StateExplorer,
  health: Health
}

const Signed = ({ desk }: { readonly desk: Desk }) => {
  const { view } = useCell(place)
  const [isHelping, setHelping] = useState(false)
  useEffect(() => startShortcuts(() => setHelping(true)), [])
  return html`
    <a class="skip" href="#main" onClick=${(event: Event) => {
    event.preventDefault()
    document.querySelector("main")?.focus()
  }}>Skip to the content</a>
    ${h(Header, { desk, showShortcuts: () => setHelping(true) })}
    <div class="below">
      ${h(Navigation, { desk })}
      <main id="main" tabindex="-1">
        ${h(Notices, { desk })}
        ${h(shown[view], { key: view, desk })}
      </main>
    </div>
    ${h(LiveRegion, { desk })}
    ${isHelping && h(Shortcuts, { close: () => setHelping(false) })}`
}

/** The whole page. */
export const Page = () => {
  const current = useCell(session)
  return current._tag === "SignedIn"
    ? h(Signed, { desk: current.desk })
    : h(SignIn, { message: current.message })
}
