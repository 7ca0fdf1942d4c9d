/** How many letters have to be put in, left out or replaced to make one word of the other. */
const distance = (one: string, other: string): number => {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[other.length] ?? 0
}

/** The word that was probably meant, if there is one. */
export const nearest = (word: string, words: Iterable<string>): string | undefined => {
  if (word.length > 100) return undefined
  let best: string | undefined
  let least = Math.ceil(word.length / 3) + 1
  for (const candidate of words) {
    const away = distance(word.toLowerCase(), candidate.toLowerCase())
    if (away < least) [best, least] = [candidate, away]
  }
  return best
}

/** `; did you mean …?`, or nothing. */
export const suggestion = (word: string, words: Iterable<string>): string => {
  const meant = nearest(word, words)
  return meant === undefined ? "" : `; did you mean ${meant}?`
}
