import { html } from "htm/preact"
import { h } from "preact"
import { useMemo, useState } from "preact/hooks"
import { counted, grouped } from "../../format/size.js"
import { useCell } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { type Feed, type Row, shown } from "../../state/Feed.js"
import { Empty, Loading } from "../parts/Empty.js"
import { ViewTitle } from "../parts/ViewTitle.js"
import { EventRow } from "./EventRow.js"
import { Filters } from "./Filters.js"

const firstRows = 150

const textOf = ({ event: { agent, data, type } }: Row): string => `${agent ?? ""} ${type} ${JSON.stringify(data)}`

const matching = (rows: ReadonlyArray<Row>, text: string): ReadonlyArray<Row> => {
  const wanted = text.trim().toLowerCase()
  return wanted === "" ? rows : rows.filter((row) => textOf(row).toLowerCase().includes(wanted))
}

/** What happened and happens, the newest first. */
export const Activity = ({ desk }: { readonly desk: Desk }) => {
  const current = useCell(desk.activity.feed)
  const agents = useCell(desk.agents)
  const [held, setHeld] = useState<Feed | undefined>(undefined)
  const [text, setText] = useState("")
  const [most, setMost] = useState(firstRows)
  const feed = held ?? current
  const rows = useMemo(() => matching(shown(feed), text), [feed, text])
  const visible = rows.slice(0, most)
  const waiting = held === undefined ? 0 : current.received - held.received
  const hasMoreInLog = feed.log.length < (feed.logTotal ?? 0)

  const more = () => {
    setMost(most + firstRows)
    if (rows.length < most + firstRows && hasMoreInLog) {
      setHeld(undefined)
      desk.run(desk.activity.loadOlder)
    }
  }

  return html`
    ${
    h(ViewTitle, {
      title: "Activity",
      note: `${counted(current.received, "event")} since this page was opened`,
      children: html`
        <button type="button" aria-pressed=${held !== undefined} onClick=${() =>
        setHeld(held === undefined ? current : undefined)}>
          ${held === undefined ? "Pause" : waiting === 0 ? "Go on" : `Go on (${grouped(waiting)} new)`}
        </button>`
    })
  }
    ${
    h(Filters, {
      agents: (agents ?? []).map(({ name }) => name),
      filter: current.filter,
      text,
      search: setText,
      show: (filter) => {
        setHeld(undefined)
        setMost(firstRows)
        desk.run(desk.activity.show(filter))
      }
    })
  }
    ${
    visible.length > 0
      ? html`<ol class="rows feed" data-received=${current.received}>${
        visible.map((row) => h(EventRow, { key: row.number, row }))
      }</ol>`
      : feed.logTotal === undefined
      ? h(Loading, {})
      : h(Empty, { icon: "activity", title: "Nothing yet", text: "What agents do appears here as it happens." })
  }
    ${
    (rows.length > visible.length || hasMoreInLog) &&
    html`<button type="button" class="more" onClick=${more}>Show older</button>`
  }`
}
