import { html } from "htm/preact"
import { h } from "preact"
import { useState } from "preact/hooks"
import { subjectOf } from "../../format/subject.js"
import type { Desk } from "../../state/Desk.js"
import { decided, maximumDecided, type Request, type Requests } from "../../state/Requests.js"
import { AgentName, CapabilityName } from "../parts/Name.js"
import { SafeText } from "../parts/SafeText.js"
import { AbsoluteTime } from "../parts/Time.js"
import { Outcome } from "./Outcome.js"
import { RequestArguments } from "./RequestArguments.js"

const HistoryRow = ({ desk, request }: { readonly desk: Desk; readonly request: Request }) => {
  const [isOpen, setOpen] = useState(false)
  const { view } = request
  const subject = request.arguments._tag === "Here" ? subjectOf(request.arguments.value) : undefined
  const toggled = ({ currentTarget }: Event) => {
    if (currentTarget instanceof HTMLDetailsElement) setOpen(currentTarget.open)
  }
  return html`
    <li>
      <details class="row" onToggle=${toggled}>
        <summary>
          ${h(AgentName, { name: view.agent })}
          ${h(CapabilityName, { name: view.capability })}
          ${subject !== undefined && html`<span class="subject">${h(SafeText, { text: subject })}</span>`}
          ${h(Outcome, { view })}
        </summary>
        ${
    isOpen && html`
          <div class="row-body">
            ${h(RequestArguments, { desk, request })}
            <p class="muted">Rule <code>${h(SafeText, { text: view.rule })}</code>${
      view.reason === null ? "" : html`: ${h(SafeText, { text: view.reason })}`
    }</p>
            <p class="muted">Asked ${
      h(AbsoluteTime, { at: view.created_at })
    } · digest <code class="digest">${view.digest}</code></p>
          </div>`
  }
      </details>
    </li>`
}

/** The requests that are over, the newest first. */
export const History = ({ desk, requests }: { readonly desk: Desk; readonly requests: Requests }) => {
  const over = decided(requests)
  if (over.length === 0) return null
  const hasMore = requests.byId.size < requests.total && over.length < maximumDecided
  return html`
    <section class="history" aria-labelledby="history-title">
      <h2 id="history-title">Decided</h2>
      <ol class="rows">${over.map((request) => h(HistoryRow, { key: request.view.id, desk, request }))}</ol>
      ${
    hasMore && html`
        <button type="button" class="more" onClick=${() => desk.run(desk.approvals.loadOlder)}>Show older</button>`
  }
    </section>`
}
