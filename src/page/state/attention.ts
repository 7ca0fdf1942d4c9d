import type { ApprovalView } from "../../local/supervisor/ApprovalView.js"
import { visibleText } from "../format/visible.js"
import type { AlertView } from "../schemas/Alert.js"
import { type Cell, makeCell } from "./Cell.js"
import { pendingCount, type Requests } from "./Requests.js"

const name = "KruxOS"

const textOf = (views: ReadonlyArray<ApprovalView>): string => {
  const [first] = views
  return views.length === 1 && first !== undefined
    ? `${visibleText(first.agent)} asks to use ${visibleText(first.capability)}`
    : `${views.length} new requests for approval`
}

const textOfAlerts = (views: ReadonlyArray<AlertView>): string => {
  const [first] = views
  return views.length === 1 && first !== undefined
    ? `${first.severity} alert of ${visibleText(first.agent)}: ${
      visibleText(first.title ?? first.message).slice(0, 200)
    }`
    : `${views.length} new alerts`
}

/** Whether the browser may show notifications: "off" where it was not asked, or is not able to. */
export type Notifications = "impossible" | "off" | "on" | "denied"

const state = (): Notifications => {
  if (!("Notification" in window)) return "impossible"
  return Notification.permission === "granted" ? "on" : Notification.permission === "denied" ? "denied" : "off"
}

const notify = (text: string, tag = "kruxos-approvals") => {
  if (!document.hidden || state() !== "on") return
  try {
    const notification = new Notification(name, { body: text, tag })
    notification.addEventListener("click", () => {
      window.focus()
      notification.close()
    })
  } catch {
    // Some browsers have them in service workers only.
  }
}

/** Makes what calls for the person's attention: the title, the icon, what is read aloud, notifications. */
export const makeAttention = () => {
  const spoken = makeCell("")
  const notifications = makeCell(state())
  return {
    /** What a screen reader says next. */
    spoken,
    notifications,
    say: (text: string) => spoken.set(text),
    arrived: (views: ReadonlyArray<ApprovalView>) => {
      const text = textOf(views)
      spoken.set(text)
      notify(text)
    },
    alerted: (views: ReadonlyArray<AlertView>) => {
      const text = textOfAlerts(views)
      spoken.set(text)
      if (views.some(({ severity }) => severity === "critical")) notify(text, "kruxos-alerts")
    },
    askForNotifications: () =>
      void Notification.requestPermission().then(() => notifications.set(state()), () => notifications.set(state()))
  }
}

export type Attention = ReturnType<typeof makeAttention>

/** Has the title and the icon say how many requests are pending; what it gives ends that. */
export const showInTitle = (requests: Cell<Requests>): () => void => {
  const icon = document.querySelector("link[rel=icon]")
  const show = () => {
    const count = pendingCount(requests.get())
    document.title = count === 0 ? name : `(${count}) ${name}`
    icon?.setAttribute("href", count === 0 ? "/icon.svg" : "/icon.svg#pending")
  }
  show()
  const end = requests.subscribe(show)
  return () => {
    end()
    document.title = name
    icon?.setAttribute("href", "/icon.svg")
  }
}
