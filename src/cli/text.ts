import * as Predicate from "effect/Predicate"

const isControl = (code: number) => (code < 32 && code !== 9 && code !== 10) || (code >= 127 && code < 160)

// They have a terminal show text in another order than it has.
const isDirection = (code: number) =>
  code === 0x061c || code === 0x200e || code === 0x200f || (code >= 0x2028 && code <= 0x202e)
  || (code >= 0x2066 && code <= 0x2069)

/**
 * Text as it can be shown on a terminal: control characters, but for tabs and line ends, as `\xNN`, and those that turn its
 * direction as `\uNNNN`. What a gateway or a file name says must not drive the terminal that it is shown on.
 */
export const printable = (text: string): string =>
  Array.from(text, (character) => {
    const code = character.charCodeAt(0)
    if (isControl(code)) return `\\x${code.toString(16).padStart(2, "0")}`
    return isDirection(code) ? `\\u${code.toString(16).padStart(4, "0")}` : character
  }).join("")

/** Text on one line. */
export const oneLine = (text: string): string => printable(text.trim().replaceAll(/\s+/g, " "))

// Those that JSON leaves as they are and that drive terminals, or make text look like another.
const troublesome = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

const toJson = (value: unknown, space?: number): string =>
  (JSON.stringify(value, undefined, space) ?? "null").replaceAll(
    troublesome,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** A value as JSON that people can read, and that is safe to look at. */
export const prettyJson = (value: unknown): string => toJson(value, 2)

/** A value as JSON on one line, which is safe to look at. */
export const compactJson = (value: unknown): string => toJson(value)

/** A text, or its beginning and how much is left out. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)}… (${text.length - most} more characters)`

/** A value with its texts cut, each by itself, so that a long one hides nothing that comes after it. */
export const withTextsCut = (value: unknown, most: number): unknown => {
  if (typeof value === "string") return cut(value, most)
  if (Array.isArray(value)) return value.map((item) => withTextsCut(item, most))
  if (!Predicate.isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [cut(name, most), withTextsCut(inner, most)])
  )
}

/** A value as JSON on one line, with what is long cut. */
export const shortJson = (value: unknown): string => printable(cut(compactJson(withTextsCut(value, 60)), 160))

/** Rows whose columns line up; the last column is as wide as it comes. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const cells = rows.map((row) => row.map(oneLine))
  const widths = cells.reduce<ReadonlyArray<number>>(
    (widest, row) => row.map((cell, index) => Math.max(cell.length, widest[index] ?? 0)),
    []
  )
  return cells.map((row) =>
    row.map((cell, index) => index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)).join("  ").trimEnd()
  )
}

/** A word as a POSIX shell reads it back. */
export const shellQuoted = (word: string): string =>
  /^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
