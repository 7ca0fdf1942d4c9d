import { html } from "htm/preact"
import { h } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { counted } from "../../format/size.js"
import { useCell } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { now } from "../../state/now.js"
import { awaited, pendingCount, type Request } from "../../state/Requests.js"
import { Empty, Loading } from "../parts/Empty.js"
import { Icon } from "../parts/Icon.js"
import { ViewTitle } from "../parts/ViewTitle.js"
import { History } from "./History.js"
import { RequestCard } from "./RequestCard.js"

const staysFor = 6000

// A card that goes moves the others: never while somebody is about to use one of them.
const isInUse = (list: HTMLElement | null) =>
  list !== null && (list.matches(":hover") || list.contains(document.activeElement))

const usePuttingAway = (desk: Desk, requests: ReadonlyArray<Request>, list: { readonly current: HTMLElement | null }) =>
  useEffect(() => {
    if (!requests.some(({ settledAt }) => settledAt !== undefined)) return
    return now.subscribe(() => {
      if (isInUse(list.current)) return
      const due = requests.filter(({ settledAt, view }) =>
        settledAt !== undefined && view.status !== "running" && settledAt + staysFor < now.get()
      )
      if (due.length > 0) desk.approvals.putAway(due.map(({ view }) => view.id))
    })
  }, [requests])

const Notifications = ({ desk: { attention } }: { readonly desk: Desk }) => {
  const state = useCell(attention.notifications)
  return state === "off"
    ? html`
      <button type="button" class="quiet" aria-label="Notify me" onClick=${attention.askForNotifications}>
        ${h(Icon, { name: "bell" })}<span class="wide-only">Notify me</span>
      </button>`
    : null
}

/** What agents wait for: the pending requests, and those that are over. */
export const Approvals = ({ desk }: { readonly desk: Desk }) => {
  const requests = useCell(desk.approvals.requests)
  const list = useRef<HTMLElement>(null)
  const shown = awaited(requests)
  usePuttingAway(desk, shown, list)
  const count = pendingCount(requests)
  const { pendingUnlisted } = requests
  return html`
    ${
    h(ViewTitle, {
      title: "Approvals",
      note: !requests.isLoaded ? "" : count === 0 ? "Nobody waits" : `${counted(count, "request")} to decide`,
      children: h(Notifications, { desk })
    })
  }
    ${
    !requests.isLoaded
      ? h(Loading, {})
      : shown.length === 0
      ? h(Empty, {
        icon: "approvals",
        title: "All clear",
        text: "When an agent needs approval, its request appears here at once."
      })
      : html`<section class="requests" aria-label="Pending requests" ref=${list}>${
        shown.map((request) => h(RequestCard, { key: request.view.id, desk, request }))
      }</section>`
  }
    ${
    pendingUnlisted > 0 &&
    html`<p class="hint">${counted(pendingUnlisted, "more request")} are pending; they appear as these are decided.
      <button type="button" class="quiet" onClick=${() => desk.run(desk.approvals.load)}>Load again</button></p>`
  }
    ${h(History, { desk, requests })}`
}
