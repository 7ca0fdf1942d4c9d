const highest = 0x10ffff

// Half characters have no place in UTF-8.
const next = (codePoint: number) => codePoint === 0xd7ff ? 0xe000 : codePoint + 1

/**
 * What all texts that begin with the prefix come before, in the order of their bytes, and all that come after them do not;
 * undefined where there is nothing like it. A prefix has no half characters.
 */
export const endOfPrefix = (prefix: string): string | undefined => {
  const characters = Array.from(prefix)
  while (characters.length > 0) {
    const last = characters.pop()?.codePointAt(0) ?? highest
    if (last < highest) return characters.join("") + String.fromCodePoint(next(last))
  }
  return undefined
}

// Halves of characters stand for what comes after all that is not halved.
const rank = (unit: number) => unit < 0xd800 ? unit : unit >= 0xe000 ? unit - 0x800 : unit + 0x2000

/** The order of texts by their bytes as UTF-8, which is that of the store. */
export const compareBytes = (one: string, other: string): number => {
  const length = Math.min(one.length, other.length)
  for (let index = 0; index < length; index++) {
    const unit = one.charCodeAt(index)
    const otherUnit = other.charCodeAt(index)
    if (unit !== otherUnit) return rank(unit) - rank(otherUnit)
  }
  return one.length - other.length
}
