import * as Effect from "effect/Effect"
import { html } from "htm/preact"
import { h } from "preact"
import { useEffect, useState } from "preact/hooks"
import type { StateOwner } from "../../client/Client.js"
import { bytes, counted } from "../../format/size.js"
import { visibleText } from "../../format/visible.js"
import type { EntryList, EntryView } from "../../schemas/StateEntry.js"
import { useCell } from "../../state/Cell.js"
import type { Desk } from "../../state/Desk.js"
import { goTo, place } from "../../state/place.js"
import { Empty, Loading } from "../parts/Empty.js"
import { ViewTitle } from "../parts/ViewTitle.js"
import { EntryPanel } from "./EntryPanel.js"
import { EntryTable } from "./EntryTable.js"
import { detailOf, ownerOf } from "./owner.js"

const most = 500

const Choice = ({ agents, owner, prefix, setPrefix }: {
  readonly agents: ReadonlyArray<string>
  readonly owner: StateOwner
  readonly prefix: string
  readonly setPrefix: (prefix: string) => void
}) => {
  const choose = ({ currentTarget }: Event) => {
    if (!(currentTarget instanceof HTMLSelectElement)) return
    const agent = agents[Number(currentTarget.value)]
    goTo("state", ...detailOf(agent === undefined ? { shared: true } : { shared: false, agent }))
  }
  const typed = ({ currentTarget }: Event) => {
    if (currentTarget instanceof HTMLInputElement) setPrefix(currentTarget.value)
  }
  return html`
    <form class="filters" role="search" aria-label="State" onSubmit=${(event: Event) => event.preventDefault()}>
      <div>
        <label for="state-owner">State of</label>
        <select id="state-owner" onChange=${choose}>
          ${
    agents.map((name, index) =>
      html`<option key=${name} value=${index} selected=${!owner.shared && owner.agent === name}>${
        visibleText(name)
      }</option>`
    )
  }
          <option value="shared" selected=${owner.shared}>all agents (shared)</option>
        </select>
      </div>
      <div class="grows">
        <label for="state-prefix">Keys that begin with</label>
        <input id="state-prefix" type="search" data-filter value=${prefix} onInput=${typed} autocomplete="off" spellcheck="false" />
      </div>
    </form>`
}

const sizeOf = (list: EntryList): string => {
  const limit = typeof list.limit_bytes === "number" ? ` of ${bytes(list.limit_bytes)}` : ""
  return `${counted(list.count, "entry", "entries")}, ${bytes(list.total_size_bytes)}${limit}`
}

/** An answer and whose state was asked for: another's may be shown by the time that it comes. */
interface Of<A> {
  readonly who: string
  readonly what: A
}

/** What agents keep with the gateway, for themselves and for each other. */
export const StateExplorer = ({ desk }: { readonly desk: Desk }) => {
  const agents = (useCell(desk.agents) ?? []).map(({ name }) => name)
  const owner = ownerOf(useCell(place).detail, agents)
  const [prefix, setPrefix] = useState("")
  const [listed, setListed] = useState<Of<EntryList> | undefined>(undefined)
  const [opened, setOpened] = useState<Of<EntryView> | undefined>(undefined)
  const who = JSON.stringify(owner)
  const list = listed?.who === who ? listed.what : undefined
  const entry = opened?.who === who ? opened.what : undefined
  const setList = (what: EntryList) => setListed({ who, what })
  const close = () => setOpened(undefined)

  const load = Effect.map(desk.client.entries(owner, { prefix, limit: most }), setList)
  useEffect(() => {
    let isCurrent = true
    desk.run(Effect.map(desk.client.entries(owner, { prefix, limit: most }), (found) => {
      if (isCurrent) setList(found)
    }))
    return () => {
      isCurrent = false
    }
  }, [who, prefix])
  useEffect(() => {
    setListed(undefined)
    close()
  }, [who])

  const open = (key: string) => {
    if (entry?.key === key) return close()
    desk.run(Effect.map(desk.client.entry(owner, key), (what) => setOpened({ who, what })))
  }

  const remove = (key: string) => {
    if (owner.shared) return
    close()
    desk.run(Effect.zipRight(desk.client.deleteEntry(owner.agent, key), load))
  }

  return html`
    ${h(ViewTitle, { title: "State", note: list === undefined ? "" : sizeOf(list) })}
    ${h(Choice, { agents, owner, prefix, setPrefix })}
    ${
    entry !== undefined &&
    h(EntryPanel, { key: entry.key, owner, entry, close, remove: () => remove(entry.key) })
  }
    ${
    list === undefined
      ? h(Loading, {})
      : list.entries.length === 0
      ? h(Empty, {
        icon: "state",
        title: prefix === "" ? "Nothing kept" : "No such key",
        text: prefix === "" ? "What agents keep with state.* appears here." : "No key begins like this."
      })
      : h(EntryTable, { entries: list.entries, openKey: entry?.key, open })
  }
    ${
    list !== undefined && list.entries.length < list.count &&
    html`<p class="hint">Only the first ${list.entries.length} are shown: a longer beginning finds the others.</p>`
  }`
}
