import * as DateTime from "effect/DateTime"
import { html } from "htm/preact"
import { h } from "preact"
import { useState } from "preact/hooks"
import { eventWords } from "../../format/eventWords.js"
import { absolute, timeOfDay } from "../../format/time.js"
import type { Row } from "../../state/Feed.js"
import { JsonValue } from "../parts/JsonValue.js"
import { memo } from "../parts/memo.js"
import { AgentName, CapabilityName } from "../parts/Name.js"
import { SafeText } from "../parts/SafeText.js"

/** One thing that happened; it opens to all that is known of it. What is in a savepoint stands a little further in. */
export const EventRow = memo(({ isNested = false, row: { event } }: {
  readonly row: Row
  readonly isNested?: boolean
}) => {
  const [isOpen, setOpen] = useState(false)
  const { capability, detail, subject, tone, what } = eventWords(event)
  const toggled = ({ currentTarget }: Event) => {
    if (currentTarget instanceof HTMLDetailsElement) setOpen(currentTarget.open)
  }
  return html`
    <li class=${isNested ? "nested" : undefined}>
      <details class="row event ${tone}" onToggle=${toggled}>
        <summary>
          <time datetime=${DateTime.formatIso(event.timestamp)} title=${absolute(event.timestamp)}>${
    timeOfDay(event.timestamp)
  }</time>
          <span class="row-content">
          ${event.agent === null ? html`<span class="agent">gateway</span>` : h(AgentName, { name: event.agent })}
          ${capability !== undefined && h(CapabilityName, { name: capability })}
          <span class="what ${tone}">${h(SafeText, { text: what })}</span>
          ${subject !== undefined && html`<span class="subject">${h(SafeText, { text: subject })}</span>`}
          ${detail !== undefined && html`<span class="muted detail">${h(SafeText, { text: detail })}</span>`}
          </span>
        </summary>
        ${
    isOpen && html`
          <div class="row-body">
            ${h(JsonValue, { value: event.data, label: "What is known of it" })}
            <p class="muted"><code>${h(SafeText, { text: event.type })}</code> · ${absolute(event.timestamp)}${
      event.session_id === undefined ? "" : html` · session <code>${h(SafeText, { text: event.session_id })}</code>`
    }</p>
          </div>`
  }
      </details>
    </li>`
})
