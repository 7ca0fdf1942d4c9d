import * as DateTime from "effect/DateTime"
import { html } from "htm/preact"
import { absolute, relative } from "../../format/time.js"
import { useCell } from "../../state/Cell.js"
import { now } from "../../state/now.js"

/** A point in time as seen from now, with the absolute one at hand. */
export const RelativeTime = ({ at }: { readonly at: DateTime.Utc }) =>
  html`<time datetime=${DateTime.formatIso(at)} title=${absolute(at)}>${relative(at, useCell(now))}</time>`

/** A point in time in full. */
export const AbsoluteTime = ({ at }: { readonly at: DateTime.Utc }) =>
  html`<time datetime=${DateTime.formatIso(at)}>${absolute(at)}</time>`
