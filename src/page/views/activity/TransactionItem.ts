import * as DateTime from "effect/DateTime"
import { html } from "htm/preact"
import { h } from "preact"
import { useState } from "preact/hooks"
import { shortId, transactionOf } from "../../../local/supervision/transactionOf.js"
import { counted } from "../../format/size.js"
import { absolute, milliseconds, timeOfDay } from "../../format/time.js"
import { endedWords } from "../../format/transactionWords.js"
import { newestOf, stepsOf, type TransactionGroup } from "../../state/groups.js"
import { Badge } from "../parts/Badge.js"
import { AgentName } from "../parts/Name.js"
import { SafeText } from "../parts/SafeText.js"
import { EventRow } from "./EventRow.js"

const firstRows = 20

const outcomeOf = ({ end }: TransactionGroup) =>
  end === undefined ? { tone: "quiet", what: "open", detail: undefined } : endedWords(end.data)

/** A transaction with its steps; it closes to one line. What happens in one that is open appears in it. */
export const TransactionItem = ({ group }: { readonly group: TransactionGroup }) => {
  const [isOpen, setOpen] = useState(true)
  const [isWhole, setWhole] = useState(false)
  const { agent, end, id, rows } = group
  const { detail, tone, what } = outcomeOf(group)
  const at = newestOf(group)
  const duration = end?.data["duration_ms"]
  const hidden = isWhole ? 0 : Math.max(0, rows.length - firstRows)
  const toggled = ({ currentTarget, target }: Event) => {
    // The rows in it open, too.
    if (target === currentTarget && currentTarget instanceof HTMLDetailsElement) setOpen(currentTarget.open)
  }
  return html`
    <li class="transaction-item">
      <details class="row event transaction ${tone}" open=${isOpen} onToggle=${toggled}>
        <summary>
          ${
    at === undefined
      ? html`<span></span>`
      : html`<time datetime=${DateTime.formatIso(at)} title=${absolute(at)}>${timeOfDay(at)}</time>`
  }
          <span class="row-content">
          ${agent === null ? html`<span class="agent">gateway</span>` : h(AgentName, { name: agent })}
          <span>Transaction <code title=${id}>${h(SafeText, { text: shortId(id) })}</code></span>
          ${h(Badge, { tone, children: what })}
          <span class="muted">${counted(stepsOf(group), "step")}</span>
          ${typeof duration === "number" && html`<span class="muted">${milliseconds(duration)}</span>`}
          ${detail !== undefined && html`<span class="muted detail">${h(SafeText, { text: detail })}</span>`}
          </span>
        </summary>
        ${
    isOpen && html`
          ${
      hidden > 0 &&
      html`<button type="button" class="more" onClick=${() => setWhole(true)}>Show ${hidden} earlier</button>`
    }
          <ol class="steps" aria-label=${`Steps of transaction ${shortId(id)}`}>${
      rows.slice(hidden).map((row) =>
        h(EventRow, { key: row.number, row, isNested: transactionOf(row.event)?.id !== id })
      )
    }</ol>`
  }
      </details>
    </li>`
}
