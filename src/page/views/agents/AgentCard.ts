import { html } from "htm/preact"
import { h } from "preact"
import { useState } from "preact/hooks"
import { counted } from "../../format/size.js"
import { visibleText } from "../../format/visible.js"
import type { AgentView } from "../../schemas/Agent.js"
import type { Desk } from "../../state/Desk.js"
import { fragmentOf } from "../../state/place.js"
import { Badge } from "../parts/Badge.js"
import { AgentName } from "../parts/Name.js"
import { SafeText } from "../parts/SafeText.js"
import { RelativeTime } from "../parts/Time.js"
import { PauseButton } from "./PauseButton.js"
import { SessionTable } from "./SessionTable.js"

const toneOf = (status: string) => status === "active" ? "good" : status === "paused" ? "waiting" : "quiet"

/** An agent: how it stands, what it is for, its open sessions, and the button that pauses it. */
export const AgentCard = ({ agent, desk }: { readonly desk: Desk; readonly agent: AgentView }) => {
  const [recent, setRecent] = useState<AgentView["recent_sessions"]>(undefined)
  const title = `agent-${agent.name}`
  const toggled = ({ currentTarget }: Event) => {
    if (currentTarget instanceof HTMLDetailsElement && currentTarget.open) desk.run(desk.agent(agent.name, setRecent))
  }
  return html`
    <article class="card agent-card" aria-labelledby=${title}>
      <header>
        <h2 id=${title}>${h(AgentName, { name: agent.name })}</h2>
        ${h(Badge, { tone: toneOf(agent.status), children: h(SafeText, { text: agent.status }) })}
        <span class="grows"></span>
        ${h(PauseButton, { desk, agent })}
      </header>
      ${
    agent.purpose !== null && agent.purpose !== "" &&
    html`<p class="purpose">${h(SafeText, { text: agent.purpose })}</p>`
  }
      <dl class="facts">
        <div><dt>Open sessions</dt><dd>${agent.sessions.length}</dd></div>
        <div><dt>Waiting for approval</dt><dd>${
    agent.pending_approvals === 0
      ? "nothing"
      : html`<a href=${fragmentOf("approvals")}>${counted(agent.pending_approvals, "request")}</a>`
  }</dd></div>
        <div><dt>Last active</dt><dd>${
    agent.last_active_at === null ? "never" : h(RelativeTime, { at: agent.last_active_at })
  }</dd></div>
        ${
    agent.policy_group !== null && agent.policy_group !== "default" &&
    html`<div><dt>Policy group</dt><dd>${h(SafeText, { text: agent.policy_group })}</dd></div>`
  }
        ${
    agent.workspace !== null &&
    html`<div><dt>Workspace</dt><dd><code>${h(SafeText, { text: agent.workspace })}</code></dd></div>`
  }
      </dl>
      ${agent.sessions.length > 0 && h(SessionTable, { caption: "Open sessions", sessions: agent.sessions })}
      <details class="fine" onToggle=${toggled}>
        <summary>Recent sessions<span class="for-screen-readers"> of ${visibleText(agent.name)}</span></summary>
        ${recent !== undefined && h(SessionTable, { caption: "Recent sessions", sessions: recent })}
        ${recent?.length === 0 && html`<p class="muted">There were none.</p>`}
      </details>
    </article>`
}
