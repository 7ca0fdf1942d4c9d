import { html } from "htm/preact"
import { h } from "preact"
import { useEffect } from "preact/hooks"
import { counted } from "../../format/size.js"
import { useCell } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { Empty, Loading } from "../parts/Empty.js"
import { ViewTitle } from "../parts/ViewTitle.js"
import { AgentCard } from "./AgentCard.js"

/** The agents of the gateway. */
export const Agents = ({ desk }: { readonly desk: Desk }) => {
  const agents = useCell(desk.agents)
  useEffect(() => desk.run(desk.loadAgents), [desk])
  const paused = agents?.filter(({ status }) => status === "paused").length ?? 0
  return html`
    ${
    h(ViewTitle, {
      title: "Agents",
      note: agents === undefined ? "" : `${counted(agents.length, "agent")}${paused === 0 ? "" : `, ${paused} paused`}`
    })
  }
    ${
    agents === undefined
      ? h(Loading, {})
      : agents.length === 0
      ? h(Empty, { icon: "agents", title: "No agents", text: "`kruxos agent create` makes one." })
      : html`<div class="cards">${agents.map((agent) => h(AgentCard, { key: agent.name, desk, agent }))}</div>`
  }`
}
