import { html } from "htm/preact"
import { h } from "preact"
import { useLayoutEffect, useRef, useState } from "preact/hooks"
import type { Desk } from "../../state/Desk.js"
import type { Request } from "../../state/Requests.js"
import { Icon } from "../parts/Icon.js"

const longestReason = 4000

const RejectForm = ({ cancel, id, reject }: {
  readonly id: string
  readonly reject: (reason: string) => void
  readonly cancel: () => void
}) => {
  const field = useRef<HTMLInputElement>(null)
  // At once: what is typed next belongs there.
  useLayoutEffect(() => field.current?.focus(), [])
  const submit = (event: Event) => {
    event.preventDefault()
    reject(field.current?.value.trim() ?? "")
  }
  const leave = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return
    event.stopPropagation()
    cancel()
  }
  return html`
    <form class="reject-form" onSubmit=${submit} onKeyDown=${leave}>
      <label for="reason-${id}">Why? The agent is told.</label>
      <input id="reason-${id}" ref=${field} type="text" maxlength=${longestReason} autocomplete="off" placeholder="Reason (optional)" />
      <button type="submit" class="danger">Reject</button>
      <button type="button" onClick=${cancel}>Cancel</button>
    </form>`
}

/** The buttons that decide a pending request. */
export const Decision = ({ desk, name, request }: {
  readonly desk: Desk
  readonly request: Request
  /** What is decided, for screen readers. */
  readonly name: string
}) => {
  const [isRejecting, setRejecting] = useState(false)
  const rejectButton = useRef<HTMLButtonElement>(null)
  const { deciding, view: { id } } = request
  const decide = (verdict: "approve" | "reject", reason = "") => {
    setRejecting(false)
    desk.run(desk.approvals.decide(id, verdict, reason))
  }
  const cancel = () => {
    setRejecting(false)
    requestAnimationFrame(() => rejectButton.current?.focus())
  }
  if (isRejecting && deciding === undefined) {
    return h(RejectForm, {
      id,
      cancel,
      reject: (reason) => decide("reject", reason)
    })
  }
  const isDisabled = deciding !== undefined
  return html`
    <div class="decision">
      <button type="button" class="primary approve" data-action="approve" disabled=${isDisabled} aria-label="Approve: ${name}"
        onClick=${() => decide("approve")}>
        ${h(Icon, { name: "check" })}${deciding === "approve" ? "Approving…" : "Approve"}
      </button>
      <button type="button" class="reject" data-action="reject" ref=${rejectButton} disabled=${isDisabled} aria-label="Reject: ${name}"
        onClick=${() => setRejecting(true)}>
        ${deciding === "reject" ? "Rejecting…" : "Reject…"}
      </button>
    </div>`
}
