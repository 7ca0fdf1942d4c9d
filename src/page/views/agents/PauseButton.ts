import { html } from "htm/preact"
import { h } from "preact"
import { visibleText } from "../../format/visible.js"
import type { AgentView } from "../../schemas/Agent.js"
import type { Desk } from "../../state/Desk.js"
import { Confirmed } from "../parts/Confirmed.js"

/** Pauses an agent, after one more question, or lets it go on. */
export const PauseButton = ({ agent: { name, status }, desk }: { readonly desk: Desk; readonly agent: AgentView }) => {
  if (status === "paused") {
    return html`
      <button type="button" class="primary" aria-label="Resume ${visibleText(name)}" onClick=${() =>
      desk.run(desk.setPaused(name, false))}>Resume</button>`
  }
  return status === "active"
    ? h(Confirmed, {
      label: "Pause…",
      name: `Pause ${visibleText(name)}`,
      question: "Pause it? Its calls fail until it is resumed.",
      confirm: "Pause",
      act: () => desk.run(desk.setPaused(name, true))
    })
    : null
}
