import { html } from "htm/preact"
import { hasRightToLeft, pieces } from "../../format/visible.js"

/** Text that anybody may have written, set apart from what is around it, with nothing in it hidden. */
export const SafeText = ({ text }: { readonly text: string }) =>
  html`<bdi>${
    pieces(text).map((piece) =>
      typeof piece === "string"
        ? piece
        : html`<mark class="hidden-character" title=${piece.name}>${piece.code}</mark>`
    )
  }</bdi>`

/** Says of a text that some of it runs from right to left, so that it may not read in the order in which it is used. */
export const DirectionRemark = ({ text }: { readonly text: string }) =>
  hasRightToLeft(text)
    ? html`<p class="remark">This has right-to-left letters: the order on the screen is not that of the text.</p>`
    : null
