import { html } from "htm/preact"
import { h } from "preact"
import { grouped } from "../../format/size.js"
import type { SessionView } from "../../schemas/Agent.js"
import { SafeText } from "../parts/SafeText.js"
import { RelativeTime } from "../parts/Time.js"

/** Sessions of an agent, one a row. */
export const SessionTable = ({ caption, sessions }: {
  readonly caption: string
  readonly sessions: ReadonlyArray<SessionView>
}) =>
  html`
    <div class="table-frame" tabindex="0" role="region" aria-label=${caption}>
      <table>
        <caption class="for-screen-readers">${caption}</caption>
        <thead><tr>
          <th scope="col">Session</th><th scope="col">Client</th><th scope="col">Started</th><th scope="col">Ended</th>
          <th scope="col" class="number">Invocations</th>
        </tr></thead>
        <tbody>${
    sessions.map((session) =>
      html`
          <tr key=${session.session_id}>
            <td><code>${h(SafeText, { text: session.session_id })}</code></td>
            <td>${
        session.client_name === null ? "" : html`${h(SafeText, { text: session.client_name })} `
      }<span class="muted">${h(SafeText, { text: session.transport })}</span></td>
            <td>${h(RelativeTime, { at: session.started_at })}</td>
            <td>${
        session.ended_at === null ? html`<span class="muted">open</span>` : h(RelativeTime, { at: session.ended_at })
      }</td>
            <td class="number">${grouped(session.invocations)}</td>
          </tr>`
    )
  }</tbody>
      </table>
    </div>`
