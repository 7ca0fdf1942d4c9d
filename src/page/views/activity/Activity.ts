import { html } from "htm/preact"
import { h } from "preact"
import { useMemo, useState } from "preact/hooks"
import type { SupervisionEvent } from "../../../local/supervision/SupervisionEvent.js"
import { counted, grouped as thousands } from "../../format/size.js"
import { useCell } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { type Feed, shown } from "../../state/Feed.js"
import { eventsOf, grouped, type Item } from "../../state/groups.js"
import { typesOf } from "../../state/kinds.js"
import { Empty, Loading } from "../parts/Empty.js"
import { ViewTitle } from "../parts/ViewTitle.js"
import { EventRow } from "./EventRow.js"
import { Filters } from "./Filters.js"
import { TransactionItem } from "./TransactionItem.js"

const firstRows = 150

const textOf = ({ agent, data, type }: SupervisionEvent): string => `${agent ?? ""} ${type} ${JSON.stringify(data)}`

// Of a transaction all is shown where something in it is meant.
const matching = (items: ReadonlyArray<Item>, text: string): ReadonlyArray<Item> => {
  const wanted = text.trim().toLowerCase()
  const isMeant = (event: SupervisionEvent) => textOf(event).toLowerCase().includes(wanted)
  return wanted === ""
    ? items
    : items.filter((item) => item._tag === "Row" ? isMeant(item.row.event) : eventsOf(item.group).some(isMeant))
}

// What is of one kind only is no whole transaction.
const itemsOf = (feed: Feed): ReadonlyArray<Item> =>
  typesOf(feed.filter.kind) === undefined
    ? grouped(shown(feed))
    : shown(feed).map((row): Item => ({ _tag: "Row", row }))

/** What happened and happens, the newest first. */
export const Activity = ({ desk }: { readonly desk: Desk }) => {
  const current = useCell(desk.activity.feed)
  const agents = useCell(desk.agents)
  const [held, setHeld] = useState<Feed | undefined>(undefined)
  const [text, setText] = useState("")
  const [most, setMost] = useState(firstRows)
  const feed = held ?? current
  const items = useMemo(() => matching(itemsOf(feed), text), [feed, text])
  const visible = items.slice(0, most)
  const waiting = held === undefined ? 0 : current.received - held.received
  const hasMoreInLog = feed.log.length < (feed.logTotal ?? 0)

  const more = () => {
    setMost(most + firstRows)
    if (items.length < most + firstRows && hasMoreInLog) {
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
          ${held === undefined ? "Pause" : waiting === 0 ? "Go on" : `Go on (${thousands(waiting)} new)`}
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
        visible.map((item) =>
          item._tag === "Row"
            ? h(EventRow, { key: item.row.number, row: item.row })
            : h(TransactionItem, { key: item.group.key, group: item.group })
        )
      }</ol>`
      : feed.logTotal === undefined
      ? h(Loading, {})
      : h(Empty, { icon: "activity", title: "Nothing yet", text: "What agents do appears here as it happens." })
  }
    ${
    (items.length > visible.length || hasMoreInLog) &&
    html`<button type="button" class="more" onClick=${more}>Show older</button>`
  }`
}
