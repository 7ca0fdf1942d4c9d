import { html } from "htm/preact"
import { duration } from "../../format/time.js"
import { useCell, useSelected } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { now } from "../../state/now.js"

/** Whether what is shown is up to date. */
export const Connection = ({ desk }: { readonly desk: Desk }) => {
  const connection = useCell(desk.connection)
  const seconds = useSelected(
    now,
    (at) => connection._tag === "Lost" ? Math.ceil((connection.nextAttemptAt - at) / 1000) : 0
  )
  const isDraining = useSelected(desk.status, (status) => status?.gateway.draining === true)
  const [tone, text] = connection._tag === "Live"
    ? isDraining ? ["waiting", "Shutting down"] : ["good", "Live"]
    : connection._tag === "Connecting"
    ? ["waiting", "Connecting…"]
    : ["bad", seconds > 1 ? `Offline, again in ${duration(seconds)}` : "Offline, connecting…"]
  return html`<p class="connection ${tone}" data-connection=${connection._tag}><span class="pulse" aria-hidden="true"></span>${text}</p>`
}
