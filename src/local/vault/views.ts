import { Buffer } from "node:buffer"

/** Bytes, and what they were made from. */
export interface View {
  readonly bytes: Buffer
  /** Undefined where the bytes are the original. */
  readonly origin: Origin | undefined
}

/** `from[i]` is where byte i begins in another view; one more for the end. */
interface Origin {
  readonly view: View
  readonly from: Int32Array
}

const percent = 0x25
const backslash = 0x5c
const ampersand = 0x26

const digit = (byte: number | undefined): number => {
  if (byte === undefined) return -1
  if (byte >= 48 && byte <= 57) return byte - 48
  const small = byte | 32
  return small >= 97 && small <= 102 ? small - 87 : -1
}

/** The number that so many hexadecimal digits are; -1 where they are none. */
const numberAt = (bytes: Buffer, start: number, length: number): number => {
  let number = 0
  for (let at = start; at < start + length; at++) {
    const value = digit(bytes[at])
    if (value < 0) return -1
    number = number * 16 + value
  }
  return number
}

/** What an escape stands for, and how long it is; undefined where there is none. */
interface Escape {
  readonly plain: Uint8Array
  readonly length: number
}

const encoded = (code: number): Uint8Array => Buffer.from(String.fromCodePoint(code))

const single: { readonly [letter: string]: number } = {
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  "\"": 34,
  "/": 47,
  "\\": 92,
  "'": 39
}

const isSurrogate = (code: number) => code >= 0xd800 && code < 0xe000

const unicodeAt = (bytes: Buffer, at: number): Escape | undefined => {
  const high = numberAt(bytes, at + 2, 4)
  if (high < 0) return undefined
  if (!isSurrogate(high)) return { plain: encoded(high), length: 6 }
  const low = bytes[at + 6] === backslash && bytes[at + 7] === 0x75 ? numberAt(bytes, at + 8, 4) : -1
  return high < 0xdc00 && low >= 0xdc00 && low < 0xe000
    ? { plain: encoded(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), length: 12 }
    : undefined
}

const inString = (bytes: Buffer, at: number): Escape | undefined => {
  const letter = String.fromCharCode(bytes[at + 1] ?? 0)
  if (letter === "u") return unicodeAt(bytes, at)
  if (letter === "x") {
    const code = numberAt(bytes, at + 2, 2)
    return code < 0 ? undefined : { plain: encoded(code), length: 4 }
  }
  const code = Object.hasOwn(single, letter) ? single[letter] : undefined
  return code === undefined ? undefined : { plain: Buffer.of(code), length: 2 }
}

const entities: { readonly [name: string]: string } = { quot: "\"", amp: "&", lt: "<", gt: ">", apos: "'" }

const inHtml = (bytes: Buffer, at: number): Escape | undefined => {
  if (bytes[at + 1] === ampersand) return undefined
  const name = /^&(?:#(x[0-9a-f]{1,6}|[0-9]{1,7})|(quot|amp|lt|gt|apos));/i.exec(bytes.toString("latin1", at, at + 11))
  if (name === null) return undefined
  const [whole, number, word = ""] = name
  if (number === undefined) return { plain: Buffer.from(entities[word.toLowerCase()] ?? ""), length: whole.length }
  const code = /^x/i.test(number) ? Number.parseInt(number.slice(1), 16) : Number.parseInt(number, 10)
  return code > 0x10ffff || isSurrogate(code) ? undefined : { plain: encoded(code), length: whole.length }
}

const inUrl = (bytes: Buffer, at: number): Escape | undefined => {
  const code = numberAt(bytes, at + 1, 2)
  return code < 0 ? undefined : { plain: Buffer.of(code), length: 3 }
}

const kinds = { url: [percent, inUrl], json: [backslash, inString], html: [ampersand, inHtml] } as const

/** What escapes things: the address of a page, a string of JSON, a page. */
export type EscapeKind = keyof typeof kinds

/** Where a byte of a view begins in the original; one behind the last is its end. */
export const startOf = ({ origin }: View, at: number): number =>
  origin === undefined ? at : startOf(origin.view, origin.from[at] ?? 0)

/** As many characters as an escape ends with at most: those after `&`. */
export const longestTail = 9

/**
 * Where an escape begins in the original that ends before this byte of a view, with these small characters: they may be no part of it, but
 * the beginning of what follows, beside something that looks like the beginning of an escape.
 */
export const escapeBefore = ({ bytes, origin }: View, at: number, tail: Buffer): number | undefined => {
  if (origin === undefined || at === 0 || at > bytes.length) return undefined
  const { from, view } = origin
  const end = from[at] ?? 0
  const start = from[at - 1] ?? 0
  return start < end - tail.length && tail.equals(lowered(view.bytes.subarray(end - tail.length, end)))
    ? startOf(view, start)
    : escapeBefore(view, end, tail)
}

/** Writes a view of a view, which is never longer. */
const derived = (
  view: View,
  write: (put: (byte: number, at: number) => void) => void
): View => {
  const { bytes } = view
  const plain = Buffer.alloc(bytes.length)
  const from = new Int32Array(bytes.length + 1)
  let length = 0
  write((byte, at) => {
    plain[length] = byte
    from[length++] = at
  })
  from[length] = bytes.length
  return { bytes: plain.subarray(0, length), origin: { view, from: from.subarray(0, length + 1) } }
}

/** With escapes of these kinds taken away once; undefined where there are none. */
export const unescaped = (view: View, wanted: ReadonlyArray<EscapeKind>): View | undefined => {
  const { bytes } = view
  const readers = new Map(wanted.map((kind) => kinds[kind]))
  if (![...readers.keys()].some((mark) => bytes.includes(mark))) return undefined
  let isChanged = false
  const made = derived(view, (put) => {
    for (let at = 0; at < bytes.length;) {
      const byte = bytes[at] ?? 0
      const escape = byte === percent || byte === backslash || byte === ampersand
        ? readers.get(byte)?.(bytes, at)
        : undefined
      if (escape === undefined) {
        put(byte, at)
        at++
      } else {
        for (const one of escape.plain) put(one, at)
        at += escape.length
        isChanged = true
      }
    }
  })
  return isChanged ? made : undefined
}

const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13)

/** A view without its white space: `at` says where a byte stands in the view. */
export interface Dense {
  readonly bytes: Buffer
  readonly at: (index: number) => number
}

/** The same without white space. */
export const unspaced = ({ bytes }: View): Dense => {
  if (![9, 10, 11, 12, 13, 32].some((byte) => bytes.includes(byte))) return { bytes, at: (index) => index }
  const dense = derived({ bytes, origin: undefined }, (put) => {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      if (!isSpace(byte)) put(byte, at)
    }
  })
  return { bytes: dense.bytes, at: (index) => startOf(dense, index) }
}

const lowered = (bytes: Uint8Array): Buffer => {
  const small = Buffer.from(bytes)
  for (let at = 0; at < small.length; at++) {
    const byte = small[at] ?? 0
    if (byte >= 65 && byte <= 90) small[at] = byte + 32
  }
  return small
}

/** With capital letters of ASCII made small. */
export const folded = ({ bytes, origin }: View): View => ({ bytes: lowered(bytes), origin })
