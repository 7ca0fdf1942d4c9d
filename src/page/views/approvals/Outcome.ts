import { html } from "htm/preact"
import { h } from "preact"
import type { ApprovalView } from "../../../local/supervisor/ApprovalView.js"
import { outcomeWords } from "../../format/approvalWords.js"
import { Badge } from "../parts/Badge.js"
import { SafeText } from "../parts/SafeText.js"
import { RelativeTime } from "../parts/Time.js"

/** What became of a request: how it was decided, by whom, when and why. */
export const Outcome = ({ view }: { readonly view: ApprovalView }) => {
  const { by, text, tone } = outcomeWords(view)
  const { decided_at, decision_reason } = view
  return html`
    <span class="outcome">
      ${h(Badge, { tone, children: text })}
      ${by !== undefined && html`<span class="muted">by ${h(SafeText, { text: by })}</span>`}
      ${decided_at !== undefined && html`<span class="muted">${h(RelativeTime, { at: decided_at })}</span>`}
      ${
    decision_reason !== undefined && decision_reason !== "" &&
    html`<span class="decision-reason">“${h(SafeText, { text: decision_reason })}”</span>`
  }
    </span>`
}
