import * as Predicate from "effect/Predicate"
import { html } from "htm/preact"
import { type ComponentChildren, h } from "preact"
import { useState } from "preact/hooks"
import { grouped } from "../../format/size.js"
import { LongText } from "./LongText.js"
import { SafeText } from "./SafeText.js"

const foldedItems = 30

const deepest = 6

const looksLikeAnotherType = (text: string) =>
  /^(true|false|null)$/.test(text) || !Number.isNaN(Number(text)) || text !== text.trim() || /^["[{]/.test(text)

const Text = ({ label, text }: { readonly text: string; readonly label: string }) => {
  if (text === "") return html`<span class="empty">empty text</span>`
  if (text.length > 120 || text.includes("\n")) return h(LongText, { text, label })
  const quote = looksLikeAnotherType(text) ? html`<span class="quote" aria-hidden="true">"</span>` : null
  return html`<span class="text">${quote}${h(SafeText, { text })}${quote}</span>`
}

const Items = <A>({ items, noun, show }: {
  readonly items: ReadonlyArray<A>
  readonly noun: string
  readonly show: (items: ReadonlyArray<A>) => ComponentChildren
}) => {
  const [isOpen, setOpen] = useState(false)
  const isLong = items.length > foldedItems
  return html`
    ${show(isOpen || !isLong ? items : items.slice(0, foldedItems))}
    ${
    isLong && html`
      <button type="button" class="fold" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
        ${isOpen ? "Show less" : `Show all ${grouped(items.length)} ${noun}`}
      </button>`
  }`
}

const Fields = ({ depth, value }: { readonly value: { readonly [name: string]: unknown }; readonly depth: number }) =>
  h(Items<readonly [string, unknown]>, {
    items: Object.entries(value),
    noun: "fields",
    show: (entries) =>
      html`
      <dl class="fields">${
        entries.map(([name, inner]) =>
          html`
        <div key=${name}>
          <dt>${name === "" ? html`<span class="empty">no name</span>` : h(SafeText, { text: name })}</dt>
          <dd>${h(JsonValue, { value: inner, label: name, depth: depth + 1 })}</dd>
        </div>`
        )
      }</dl>`
  })

const List = ({ depth, label, value }: {
  readonly value: ReadonlyArray<unknown>
  readonly label: string
  readonly depth: number
}) =>
  h(Items<unknown>, {
    items: value,
    noun: "items",
    show: (items) =>
      html`
      <ol class="items">${
        items.map((inner, index) =>
          html`<li key=${index}>${h(JsonValue, { value: inner, label, depth: depth + 1 })}</li>`
        )
      }</ol>`
  })

/** A JSON value for people: names with their values, texts as they are, all that is long folded and nothing left out. */
export const JsonValue = ({ depth = 0, label, value }: {
  readonly value: unknown
  /** What the value is, for screen readers. */
  readonly label: string
  readonly depth?: number
}): ComponentChildren => {
  if (typeof value === "string") return h(Text, { text: value, label })
  const isComposed = typeof value === "object" && value !== null
  if (!isComposed) return html`<code class="literal">${JSON.stringify(value)}</code>`
  if (depth > deepest) return h(LongText, { text: JSON.stringify(value, null, 2), label })
  if (Array.isArray(value)) {
    return value.length === 0 ? html`<span class="empty">empty list</span>` : h(List, { value, label, depth })
  }
  return !Predicate.isRecord(value) || Object.keys(value).length === 0
    ? html`<span class="empty">nothing</span>`
    : h(Fields, { value, depth })
}
