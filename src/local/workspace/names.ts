import type { Ordering } from "effect/Ordering"

const rank = (unit: number): number => unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit

/** Orders text by code points, the same everywhere, whatever the language of the host. */
export const byCodePoint = (one: string, other: string): Ordering => {
  const length = Math.min(one.length, other.length)
  for (let index = 0; index < length; index++) {
    const difference = rank(one.charCodeAt(index)) - rank(other.charCodeAt(index))
    if (difference !== 0) return difference < 0 ? -1 : 1
  }
  return one.length < other.length ? -1 : one.length > other.length ? 1 : 0
}
