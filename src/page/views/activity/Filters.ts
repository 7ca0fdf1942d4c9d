import { html } from "htm/preact"
import { visibleText } from "../../format/visible.js"
import type { FeedFilter } from "../../state/Feed.js"
import { kindOf, kinds } from "../../state/kinds.js"

const valueOf = ({ currentTarget }: Event): string =>
  currentTarget instanceof HTMLInputElement || currentTarget instanceof HTMLSelectElement ? currentTarget.value : ""

/** What narrows the feed down. */
export const Filters = ({ agents, filter, search, show, text }: {
  readonly agents: ReadonlyArray<string>
  readonly filter: FeedFilter
  readonly show: (filter: FeedFilter) => void
  readonly text: string
  readonly search: (text: string) => void
}) =>
  html`
    <form class="filters" role="search" aria-label="Activity" onSubmit=${(event: Event) => event.preventDefault()}>
      <div>
        <label for="feed-kind">Show</label>
        <select id="feed-kind" value=${filter.kind} onChange=${(event: Event) =>
    show({ ...filter, kind: kindOf(valueOf(event)) })}>
          ${
    Object.entries(kinds).map(([name, { title }]) =>
      html`<option key=${name} value=${name} selected=${name === filter.kind}>${title}</option>`
    )
  }
        </select>
      </div>
      <div>
        <label for="feed-agent">Agent</label>
        <select id="feed-agent" value=${filter.agent ?? ""} onChange=${(event: Event) =>
    show({ ...filter, agent: valueOf(event) === "" ? undefined : valueOf(event) })}>
          <option value="" selected=${filter.agent === undefined}>All agents</option>
          ${
    agents.map((name) =>
      html`<option key=${name} value=${name} selected=${name === filter.agent}>${visibleText(name)}</option>`
    )
  }
        </select>
      </div>
      <div class="grows">
        <label for="feed-text">Text</label>
        <input id="feed-text" type="search" data-filter value=${text} autocomplete="off" spellcheck="false"
          placeholder="capability, path, reason…" onInput=${(event: Event) => search(valueOf(event))} />
      </div>
    </form>`
