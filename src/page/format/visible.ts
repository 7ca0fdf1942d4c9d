/** A part of a text: as it is, or a character that nobody would see, which is named instead. */
export type Piece = string | { readonly code: string; readonly name: string }

// Controls, formats (among them all that changes the direction of text), unassigned, private and halves of characters, separators of
// lines and all spaces but the usual one, and letters that have no shape.
const hidden = /(?![ \n\t])[\p{C}\p{Zl}\p{Zp}\p{Zs}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]/gu

const names: { readonly [code: string]: string } = {
  "U+0000": "null",
  "U+0007": "bell",
  "U+0008": "backspace",
  "U+000D": "carriage return",
  "U+001B": "escape",
  "U+007F": "delete",
  "U+00A0": "no-break space",
  "U+00AD": "soft hyphen",
  "U+061C": "Arabic letter mark",
  "U+200B": "zero width space",
  "U+200C": "zero width non-joiner",
  "U+200D": "zero width joiner",
  "U+200E": "left-to-right mark",
  "U+200F": "right-to-left mark",
  "U+2028": "line separator",
  "U+2029": "paragraph separator",
  "U+202A": "left-to-right embedding",
  "U+202B": "right-to-left embedding",
  "U+202C": "pop directional formatting",
  "U+202D": "left-to-right override",
  "U+202E": "right-to-left override",
  "U+2060": "word joiner",
  "U+2066": "left-to-right isolate",
  "U+2067": "right-to-left isolate",
  "U+2068": "first strong isolate",
  "U+2069": "pop directional isolate",
  "U+FEFF": "zero width no-break space"
}

const codeOf = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`

const nameOf = (code: string): string => names[code] ?? "invisible character"

/** How many hidden characters are pieces of their own; the others are named within the text, in brackets. */
const maximumMarks = 300

/** A text in which nothing is hidden. */
export const pieces = (text: string): ReadonlyArray<Piece> => {
  const found: Array<Piece> = []
  let shown = ""
  let from = 0
  let marks = 0
  for (const match of text.matchAll(hidden)) {
    const [character] = match
    const code = codeOf(character)
    shown += text.slice(from, match.index)
    from = match.index + character.length
    if (++marks > maximumMarks) {
      shown += `[${code}]`
      continue
    }
    if (shown !== "") found.push(shown)
    shown = ""
    found.push({ code, name: nameOf(code) })
  }
  shown += text.slice(from)
  if (shown !== "") found.push(shown)
  return found
}

/** The same as one text, for places that have no marks, such as a notification. */
export const visibleText = (text: string): string =>
  pieces(text).map((piece) => typeof piece === "string" ? piece : `[${piece.code}]`).join("").replaceAll(/[\n\t]/g, " ")

/** Whether some of it is written from right to left. */
export const hasRightToLeft = (text: string): boolean =>
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(text)

/** The beginning of a text, of at most so many UTF-16 units and lines; it cuts no character in two. */
export const beginning = (text: string, length: number, lines: number): string => {
  let end = 0
  for (let line = 0; line < lines; line++) {
    const next = text.indexOf("\n", end)
    end = next === -1 ? text.length : next + 1
    if (end >= Math.min(length, text.length)) break
  }
  const cut = Math.min(end, length)
  if (cut >= text.length) return text
  const last = text.charCodeAt(cut - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? cut - 1 : cut)
}
