import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import { letOthersRun } from "../letOthersRun.js"
import {
  type Dense,
  escapeBefore,
  type EscapeKind,
  folded,
  longestTail,
  startOf,
  unescaped,
  unspaced,
  type View
} from "./views.js"

/** What stands in the place of a secret in an answer. */
export const redacted = "[REDACTED]"

/** Less cannot be told from what is no secret. */
const shortest = 6

/** How often text is unescaped: JSON in JSON in the address of a page. */
const mostLayers = 3

const mostAtOnce = 64 * 1024

const kinds: ReadonlyArray<EscapeKind> = ["url", "json", "html"]

/** Takes secrets out of what a host answers. What is long is looked through in turns with all else that is done. */
export interface Scrubber {
  readonly bytes: (bytes: Uint8Array) => Effect.Effect<Uint8Array>
  readonly text: (text: string) => Effect.Effect<string>
  /** The same at once, for what is short. */
  readonly short: (text: string) => string
}

type Range = readonly [start: number, end: number]

const small = (bytes: Uint8Array): Buffer => folded({ bytes: Buffer.from(bytes), origin: undefined }).bytes

// Base64 of a text within a longer one has one of three forms, by where it begins, and the characters at its ends hold a bit of
// what is beside it.
const base64Forms = (bytes: Buffer): ReadonlyArray<Buffer> =>
  [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64")
    const inner = text.slice(Math.ceil(before * 8 / 6), Math.floor((before + bytes.length) * 8 / 6))
    return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")].map((form) => Buffer.from(form))
  })

// A header has the bytes of the characters up to U+00FF, and what a host writes in UTF-8 into one is read in the same way.
const bytesOf = (text: string): ReadonlyArray<Buffer> => {
  const encoded = Buffer.from(text)
  if (encoded.length === text.length) return [encoded]
  const single = Buffer.from(text, "latin1")
  return [encoded, Buffer.from(encoded.toString("latin1")), ...(single.toString("latin1") === text ? [single] : [])]
}

const wide = (text: string): ReadonlyArray<Buffer> => {
  const little = Buffer.from(text, "utf16le")
  return [little, Buffer.from(little).swap16()]
}

// Who is asked to authenticate by name and password is sent both in base64.
const inBase64 = (text: string): ReadonlyArray<string> => {
  const plain = /^[A-Za-z0-9+/_-]{8,}={0,2}$/.test(text) ? Buffer.from(text, "base64") : Buffer.alloc(0)
  const decoded = plain.toString("utf8")
  if (decoded === "" || !Buffer.from(decoded).equals(plain) || /[^\P{Cc}\t\r\n]/u.test(decoded)) return []
  return [decoded, decoded.slice(decoded.indexOf(":") + 1)]
}

const distinct = (forms: ReadonlyArray<Buffer>): ReadonlyArray<Buffer> =>
  [
    ...new Map(forms.map((form) => [form.toString("latin1"), form])).values()
  ].filter(({ length }) => length >= shortest)

const isBase64 = (byte: number | undefined): boolean =>
  byte !== undefined && /^[A-Za-z0-9+/_-]$/.test(String.fromCharCode(byte))

const isPadding = (byte: number | undefined): boolean => byte === 0x3d

// In the view, too: what stands behind white space is something else.
const follows = ({ at }: Dense, index: number) => index > 0 && at(index) === at(index - 1) + 1

/** The end of base64 of which all but a last character and padding is known to end here. */
const endOfBase64 = (dense: Dense, known: number): number => {
  const { bytes } = dense
  let end = follows(dense, known) && isBase64(bytes[known]) ? known + 1 : known
  while (end < known + 3 && follows(dense, end) && isPadding(bytes[end])) end++
  return end
}

/** Where the beginning of a secret stands of which all but a first part is known to begin at this index; undefined where it is none. */
const startBefore = (
  { at, bytes }: Dense,
  index: number,
  first: Buffer,
  widen: boolean,
  view: View
): number | undefined => {
  let alike = 0
  while (alike < first.length && bytes[index - alike - 1] === first[first.length - alike - 1]) alike++
  if (alike === first.length) {
    const begin = index - alike
    const before = widen && follows({ at, bytes }, begin) && isBase64(bytes[begin - 1]) ? begin - 1 : begin
    return startOf(view, at(before))
  }
  for (let tail = first.length - alike; tail <= first.length; tail++) {
    const next = index - first.length + tail
    // With the white space before it, of which one may be the escape.
    const lowest = next === 0 ? 0 : at(next - 1)
    for (let place = at(next); place > lowest; place--) {
      const start = escapeBefore(view, place, first.subarray(0, tail))
      if (start !== undefined) return start
    }
  }
  return undefined
}

const found = (dense: Dense, needle: Buffer, widen: boolean, view: View): ReadonlyArray<Range> => {
  const { at, bytes } = dense
  const ranges: Array<Range> = []
  const cut = view.origin === undefined ? 0 : Math.min(longestTail, needle.length - 1)
  const first = needle.subarray(0, cut)
  const known = needle.subarray(cut)
  for (let index = bytes.indexOf(known); index >= 0; index = bytes.indexOf(known, index + 1)) {
    const start = startBefore(dense, index, first, widen, view)
    if (start === undefined) continue
    const behind = index + known.length
    const end = startOf(view, at((widen ? endOfBase64(dense, behind) : behind) - 1) + 1)
    const before = ranges.at(-1)
    if (before !== undefined && before[1] >= start) ranges[ranges.length - 1] = [before[0], end]
    else ranges.push([start, end])
  }
  return ranges
}

const replaced = (bytes: Buffer, ranges: ReadonlyArray<Range>): Buffer => {
  const pieces: Array<Uint8Array> = []
  let position = 0
  for (const [start, end] of ranges.toSorted(([one], [other]) => one - other)) {
    if (start >= position) pieces.push(bytes.subarray(position, start), Buffer.from(redacted))
    position = Math.max(position, end)
  }
  return Buffer.concat([...pieces, bytes.subarray(position)])
}

/**
 * Makes what takes these texts out of answers, in any case: plain, in UTF-8, Latin-1 or UTF-16, in hexadecimal or base64 (also as a part of something
 * longer, and broken into lines), and with any of their characters escaped as in URLs, JSON and HTML, up to three times.
 */
export const make = (texts: ReadonlyArray<string>): Scrubber => {
  const wanted = [...new Set(texts.flatMap((text) => [text, ...inBase64(text)]))].filter(({ length }) =>
    length >= shortest
  )
  const plain = wanted.flatMap(bytesOf)
  const forms = wanted.flatMap((text) => bytesOf(text.replaceAll(" ", "+")))
  const needles = distinct([...plain, ...forms, ...wanted.flatMap(wide)].map(small))
  const coded = distinct(plain.flatMap((text) => base64Forms(text)).map(small))
  const hexadecimal = distinct(plain.map((text) => Buffer.from(text.toString("hex"))))

  const rangesIn = (view: View): ReadonlyArray<Range> => {
    const plainView = folded(view)
    const asItIs: Dense = { bytes: plainView.bytes, at: (index) => index }
    const dense = unspaced(plainView)
    return [
      ...needles.flatMap((needle) => found(asItIs, needle, false, view)),
      ...hexadecimal.flatMap((needle) => found(dense, needle, false, view)),
      ...coded.flatMap((needle) => found(dense, needle, true, view))
    ]
  }

  const rangesOf = (view: View | undefined) => view === undefined ? [] : rangesIn(view)

  // Each kind of escapes by itself, too: what looks like the beginning of one of another kind may stand before the secret.
  const steps = (bytes: Buffer): ReadonlyArray<() => ReadonlyArray<Range>> => {
    const original: View = { bytes, origin: undefined }
    let layer: View | undefined = original
    const nextLayer = () => {
      layer = layer === undefined ? undefined : unescaped(layer, kinds)
      return rangesOf(layer)
    }
    return [
      () => rangesIn(original),
      ...kinds.map((kind) => () => rangesOf(unescaped(original, [kind]))),
      ...Array.from({ length: mostLayers }, () => nextLayer)
    ]
  }

  const without = (bytes: Buffer, ranges: ReadonlyArray<Range>): Buffer | undefined =>
    ranges.length === 0 ? undefined : replaced(bytes, ranges)

  const atOnce = (bytes: Buffer) => without(bytes, steps(bytes).flatMap((step) => step()))

  const scrubbed = (bytes: Buffer): Effect.Effect<Buffer | undefined> =>
    bytes.length <= mostAtOnce
      ? Effect.sync(() => atOnce(bytes))
      : Effect.map(
        Effect.forEach(steps(bytes), (step) => Effect.zipRight(letOthersRun, Effect.sync(step))),
        (ranges) => without(bytes, ranges.flat())
      )

  return {
    bytes: (bytes) => Effect.map(scrubbed(Buffer.from(bytes)), (without) => without ?? bytes),
    text: (text) => Effect.map(scrubbed(Buffer.from(text)), (without) => without?.toString("utf8") ?? text),
    short: (text) => atOnce(Buffer.from(text))?.toString("utf8") ?? text
  }
}
