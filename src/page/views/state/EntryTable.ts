import { html } from "htm/preact"
import { h } from "preact"
import { bytes } from "../../format/size.js"
import type { EntrySummary } from "../../schemas/StateEntry.js"
import { SafeText } from "../parts/SafeText.js"
import { RelativeTime } from "../parts/Time.js"

/** The keys of a state; each opens its entry. */
export const EntryTable = ({ entries, open, openKey }: {
  readonly entries: ReadonlyArray<EntrySummary>
  readonly openKey: string | undefined
  readonly open: (key: string) => void
}) => {
  const isShared = entries.some(({ owner_agent }) => typeof owner_agent === "string")
  return html`
    <div class="table-frame" tabindex="0" role="region" aria-label="Entries">
      <table class="entries">
        <thead><tr>
          <th scope="col">Key</th>
          ${isShared && html`<th scope="col">Written by</th>`}
          <th scope="col" class="number">Version</th><th scope="col" class="number">Size</th><th scope="col">Changed</th>
        </tr></thead>
        <tbody>${
    entries.map((entry) =>
      html`
          <tr key=${entry.key} class=${entry.key === openKey ? "open" : ""}>
            <th scope="row"><button type="button" class="link" aria-expanded=${entry.key === openKey} onClick=${() =>
        open(entry.key)}><code>${h(SafeText, { text: entry.key })}</code></button></th>
            ${isShared && html`<td>${h(SafeText, { text: entry.owner_agent ?? "" })}</td>`}
            <td class="number">${entry.version}</td>
            <td class="number">${entry.size_bytes === undefined ? "" : bytes(entry.size_bytes)}</td>
            <td>${h(RelativeTime, { at: entry.updated_at })}</td>
          </tr>`
    )
  }</tbody>
      </table>
    </div>`
}
