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

/** A value as JSON that people can read. */
export const prettyJson = (value: unknown): string => JSON.stringify(value, undefined, 2) ?? "null"

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
