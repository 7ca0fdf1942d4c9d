import * as Effect from "effect/Effect"
import { html } from "htm/preact"
import { h } from "preact"
import { useEffect, useState } from "preact/hooks"
import { counted, grouped } from "../../format/size.js"
import { duration } from "../../format/time.js"
import type { Health as HealthView } from "../../schemas/Health.js"
import type { Status } from "../../schemas/Status.js"
import { useCell } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { Badge } from "../parts/Badge.js"
import { Loading } from "../parts/Empty.js"
import { SafeText } from "../parts/SafeText.js"
import { AbsoluteTime, RelativeTime } from "../parts/Time.js"
import { ViewTitle } from "../parts/ViewTitle.js"
import { Meter } from "./Meter.js"

const toneOf = (status: string) => status === "healthy" ? "good" : status === "degraded" ? "waiting" : "bad"

const nameOf = (key: string) => {
  const words = key.replace(/_percent$/, "").replaceAll("_", " ")
  return words === "cpu" ? "CPU" : `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`
}

const Usage = ({ usage }: { readonly usage: HealthView["resource_usage"] }) => {
  const numbers = Object.entries(usage).flatMap(([name, value]) => typeof value === "number" ? [{ name, value }] : [])
  return html`
    <section class="card" aria-labelledby="usage-title">
      <h2 id="usage-title">Resources</h2>
      ${
    numbers.map(({ name, value }) =>
      name.endsWith("_percent")
        ? h(Meter, { key: name, label: nameOf(name), percent: value })
        : html`<div class="meter-row" key=${name}><span class="meter-label">${
          nameOf(name)
        }</span><span class="meter-value">${grouped(value)}</span></div>`
    )
  }
    </section>`
}

const Components = ({ health: { checked_at, components } }: { readonly health: HealthView }) =>
  html`
    <section class="card" aria-labelledby="components-title">
      <h2 id="components-title">Components</h2>
      <ul class="components">${
    components.map(({ message, name, status }) =>
      html`
        <li key=${name}>
          <span class="component-name">${h(SafeText, { text: name })}</span>
          ${h(Badge, { tone: toneOf(status), children: h(SafeText, { text: status }) })}
          ${
        typeof message === "string" && message !== "" &&
        html`<span class="muted">${h(SafeText, { text: message })}</span>`
      }
        </li>`
    )
  }</ul>
      <p class="muted">Checked ${h(RelativeTime, { at: checked_at })}</p>
    </section>`

const Gateway = ({ status: { agents, approvals, gateway, sessions } }: { readonly status: Status }) =>
  html`
    <section class="card" aria-labelledby="gateway-title">
      <h2 id="gateway-title">Gateway</h2>
      <dl class="facts">
        <div><dt>Version</dt><dd>${gateway.name} ${gateway.version}</dd></div>
        <div><dt>Policy</dt><dd>${h(SafeText, { text: gateway.policy })}</dd></div>
        <div><dt>Up for</dt><dd>${duration(gateway.uptime_seconds)}</dd></div>
        <div><dt>Started</dt><dd>${h(AbsoluteTime, { at: gateway.started_at })}</dd></div>
        <div><dt>Agents</dt><dd>${agents.active} active${agents.paused === 0 ? "" : `, ${agents.paused} paused`}${
    agents.revoked === 0 ? "" : `, ${agents.revoked} revoked`
  }</dd></div>
        <div><dt>Sessions</dt><dd>${counted(sessions.open, "open session")}</dd></div>
        <div><dt>Approvals</dt><dd>${counted(approvals.pending, "pending request")}</dd></div>
      </dl>
      ${gateway.draining && html`<p class="remark">The gateway is shutting down.</p>`}
    </section>`

/** How the gateway is. */
export const Health = ({ desk }: { readonly desk: Desk }) => {
  const [health, setHealth] = useState<HealthView | undefined>(undefined)
  const status = useCell(desk.status)
  useEffect(() => {
    const look = Effect.all([
      Effect.map(desk.client.health, setHealth),
      desk.loadStatus
    ], { concurrency: 2 }).pipe(Effect.catchTag("Unreachable", () => Effect.void))
    return desk.run(Effect.forever(Effect.zipRight(look, Effect.sleep("5 seconds"))))
  }, [desk])
  return html`
    ${
    h(ViewTitle, {
      title: "Health",
      note: "",
      children: health !== undefined &&
        h(Badge, { tone: toneOf(health.status), children: h(SafeText, { text: health.status }) })
    })
  }
    ${
    health === undefined && status === undefined
      ? h(Loading, {})
      : html`
      <div class="cards">
        ${status !== undefined && h(Gateway, { status })}
        ${health !== undefined && h(Usage, { usage: health.resource_usage })}
        ${health !== undefined && h(Components, { health })}
      </div>`
  }`
}
