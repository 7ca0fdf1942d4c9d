import { html } from "htm/preact"
import { h } from "preact"
import { useState } from "preact/hooks"
import { grouped } from "../../format/size.js"
import { beginning } from "../../format/visible.js"
import { DirectionRemark, SafeText } from "./SafeText.js"

const foldedLength = 1200

const foldedLines = 16

/** How much of a text is laid out as one block: a browser takes long for a single one of a million characters. */
const blockLength = 20_000

const blocksOf = (text: string): ReadonlyArray<string> => {
  const blocks: Array<string> = []
  for (let from = 0; from < text.length;) {
    const block = beginning(text.slice(from, from + blockLength + 1), blockLength, Infinity)
    blocks.push(block)
    from += block.length
  }
  return blocks
}

const Whole = ({ text }: { readonly text: string }) =>
  text.length <= blockLength
    ? h(SafeText, { text })
    : html`${
      blocksOf(text).map((block, index) =>
        html`<span key=${index} class="block">${h(SafeText, { text: block })}</span>`
      )
    }`

/** A text of any length with its lines as they are. A long one is folded, and says how long it is. */
export const LongText = ({ label, text }: { readonly text: string; readonly label: string }) => {
  const [isOpen, setOpen] = useState(false)
  const first = beginning(text, foldedLength, foldedLines)
  const isLong = first.length < text.length
  const hidden = text.length - first.length
  return html`
    <div class="long-text">
      <pre tabindex=${isLong && isOpen ? 0 : undefined} role=${isLong && isOpen ? "region" : undefined}
        aria-label=${isLong && isOpen ? label : undefined} class=${isLong ? isOpen ? "open" : "folded" : ""}
      >${h(Whole, { text: isOpen ? text : first })}</pre>
      ${
    isLong && html`
        <button type="button" class="fold" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
          ${isOpen ? "Show less" : `Show all (${grouped(text.length)} characters; ${grouped(hidden)} are folded)`}
        </button>`
  }
      ${h(DirectionRemark, { text })}
    </div>`
}
