import { html } from "htm/preact"

/** How full something is, in percent. */
export const Meter = ({ label, percent }: { readonly label: string; readonly percent: number }) => {
  const rounded = Math.max(0, Math.min(100, Math.round(percent)))
  const tone = rounded >= 90 ? "bad" : rounded >= 75 ? "waiting" : "good"
  return html`
    <div class="meter-row">
      <span class="meter-label">${label}</span>
      <span class="meter ${tone}" role="meter" aria-label=${label} aria-valuenow=${rounded} aria-valuemin="0" aria-valuemax="100">
        <span style=${{ width: `${rounded}%` }}></span>
      </span>
      <span class="meter-value">${rounded} %</span>
    </div>`
}
