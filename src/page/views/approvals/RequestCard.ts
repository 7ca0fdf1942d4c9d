import * as DateTime from "effect/DateTime"
import { html } from "htm/preact"
import { h } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { shortId } from "../../../local/supervision/transactionOf.js"
import { purposeOf } from "../../format/purpose.js"
import { visibleText } from "../../format/visible.js"
import { useSelected } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { now } from "../../state/now.js"
import type { Request } from "../../state/Requests.js"
import { AgentName, CapabilityName } from "../parts/Name.js"
import { SafeText } from "../parts/SafeText.js"
import { AbsoluteTime, RelativeTime } from "../parts/Time.js"
import { Decision } from "./Decision.js"
import { Outcome } from "./Outcome.js"
import { RequestArguments } from "./RequestArguments.js"

const soon = 60_000

const PolicySays = ({ request: { view: { reason, rule } } }: { readonly request: Request }) =>
  html`
    <p class="policy">
      <span class="policy-label">Policy</span>
      <span>${reason === null ? "This needs a human's approval." : h(SafeText, { text: reason })}</span>
      <code class="rule" title="The rule that asks for approval">${h(SafeText, { text: rule })}</code>
    </p>`

const PartOf = ({ transaction }: { readonly transaction: string }) =>
  html`
    <p class="policy">
      <span class="policy-label">Transaction</span>
      <span>It is a step of a transaction: rejecting it undoes the other steps.</span>
      <code class="rule" title=${transaction}>${h(SafeText, { text: shortId(transaction) })}</code>
    </p>`

const Times = ({ request: { view } }: { readonly request: Request }) => {
  const isSoon = useSelected(now, (at) => DateTime.toEpochMillis(view.expires_at) - at < soon)
  return html`
    <p class="times">
      <span>asked ${h(RelativeTime, { at: view.created_at })}</span>
      ${
    view.status === "pending" &&
    html`<span class=${isSoon ? "soon" : ""}>expires ${h(RelativeTime, { at: view.expires_at })}</span>`
  }
    </p>`
}

const Fine = ({ request: { view } }: { readonly request: Request }) =>
  html`
    <details class="fine">
      <summary>Details</summary>
      <dl>
        <div><dt>Request</dt><dd><code>${h(SafeText, { text: view.id })}</code></dd></div>
        <div><dt>Digest</dt><dd><code>${
    h(SafeText, { text: view.digest })
  }</code> <span class="muted">SHA-256 of exactly these arguments; nothing else is carried out</span></dd></div>
        <div><dt>Asked</dt><dd>${h(AbsoluteTime, { at: view.created_at })}</dd></div>
        <div><dt>Expires</dt><dd>${h(AbsoluteTime, { at: view.expires_at })}</dd></div>
      </dl>
    </details>`

/** A request that waits for a decision, or did a moment ago: all that is known of it, and the buttons. */
export const RequestCard = ({ desk, request }: { readonly desk: Desk; readonly request: Request }) => {
  const card = useRef<HTMLElement>(null)
  const hadFocus = useRef(false)
  const { remark, view } = request
  const isPending = view.status === "pending"
  const title = `request-${view.id}`
  // The button that had the focus goes when it has been used; it loses the focus before, when it is disabled.
  if (request.deciding !== undefined && card.current?.contains(document.activeElement)) hadFocus.current = true
  useEffect(() => {
    if (!isPending && hadFocus.current && document.activeElement === document.body) card.current?.focus()
    if (!isPending) hadFocus.current = false
  }, [isPending])
  const purpose = purposeOf(view.capability)
  return html`
    <article class="card request ${
    isPending ? "pending" : "settled"
  }" ref=${card} tabindex="-1" aria-labelledby=${title}
      data-request=${view.id}>
      <header>
        <h2 id=${title}>${h(AgentName, { name: view.agent })} <span class="asks">asks to use</span> ${
    h(CapabilityName, { name: view.capability })
  }</h2>
        ${h(Times, { request })}
      </header>
      ${purpose !== undefined && html`<p class="purpose">${purpose}</p>`}
      ${h(RequestArguments, { desk, request })}
      ${h(PolicySays, { request })}
      ${isPending && view.transaction_id !== undefined && h(PartOf, { transaction: view.transaction_id })}
      <footer>
        ${
    isPending
      ? h(Decision, { desk, request, name: visibleText(`${view.agent} asks to use ${view.capability}`) })
      : h(Outcome, { view })
  }
        ${h(Fine, { request })}
      </footer>
      ${remark !== undefined && html`<p class="remark" role="alert">${h(SafeText, { text: remark })}</p>`}
    </article>`
}
