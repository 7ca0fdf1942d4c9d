import { html } from "htm/preact"
import { h } from "preact"
import { useState } from "preact/hooks"
import { grouped } from "../../format/size.js"
import type { Desk } from "../../state/Desk.js"
import type { Request } from "../../state/Requests.js"
import { JsonValue } from "../parts/JsonValue.js"
import { LongText } from "../parts/LongText.js"

const characters = (length: number) => `${grouped(length)} characters`

/** The whole arguments of a request, as names and values or as JSON. */
export const RequestArguments = ({ desk, request }: { readonly desk: Desk; readonly request: Request }) => {
  const [isJson, setJson] = useState(false)
  const { arguments: given, view: { id } } = request
  const ask = () => desk.run(desk.approvals.askArguments(id))
  const label = "Arguments"
  switch (given._tag) {
    case "Here":
      return html`
        <div class="arguments">
          ${
        isJson
          ? h(LongText, { text: JSON.stringify(given.value, null, 2), label })
          : h(JsonValue, { value: given.value, label })
      }
          <button type="button" class="as-json quiet" aria-pressed=${isJson} onClick=${() =>
        setJson(!isJson)}>JSON</button>
        </div>`
    case "NotAsked":
      return html`
        <div class="arguments">
          <button type="button" class="fold" onClick=${ask}>Show the arguments (${characters(given.length)})</button>
        </div>`
    case "Asked":
      return html`<div class="arguments"><p class="loading">Loading ${characters(given.length)}…</p></div>`
    case "Failed":
      return html`
        <div class="arguments">
          <p class="remark">They could not be loaded: ${given.message}</p>
          <button type="button" class="fold" onClick=${ask}>Try again</button>
        </div>`
  }
}
