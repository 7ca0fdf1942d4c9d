import * as Either from "effect/Either"

const literal = (character: string): string =>
  /^\w$/.test(character) ? character : `\\x{${(character.codePointAt(0) ?? 0).toString(16)}}`

const slash = 0x2f
const codeOf = (character: string | undefined): number => character?.codePointAt(0) ?? 0
const pair = (first: number, last: number): string => `\\x{${first.toString(16)}}-\\x{${last.toString(16)}}`

/** A range of a bracket expression, without the slash, which separates names and is part of none. */
const range = (first: number, last: number): ReadonlyArray<string> =>
  slash < first || slash > last
    ? [pair(first, last)]
    : [
      ...(first < slash ? [pair(first, slash - 1)] : []),
      ...(last > slash ? [pair(slash + 1, last)] : [])
    ]

interface Brackets {
  readonly expression: string
  readonly end: number
}

const brackets = (glob: ReadonlyArray<string>, start: number): Either.Either<Brackets, string> => {
  let index = start + 1
  const negated = glob[index] === "!" || glob[index] === "^"
  if (negated) index++
  const ranges: Array<string> = []
  const take = () => {
    if (glob[index] === "\\") index++
    return codeOf(glob[index++])
  }
  for (let isFirst = true; isFirst || glob[index] !== "]"; isFirst = false) {
    if (index >= glob.length) return Either.left("a [ has no ]")
    if (glob[index] === "[" && glob[index + 1] === ":") {
      return Either.left("named classes such as [:alpha:] are not supported")
    }
    const first = take()
    const isRange = glob[index] === "-" && index + 1 < glob.length && glob[index + 1] !== "]"
    if (isRange) index++
    const last = isRange ? take() : first
    if (last < first) return Either.left("a range in [ ] runs backwards")
    ranges.push(...range(first, last))
  }
  const expression = negated
    ? `[^/${ranges.join("")}]`
    : ranges.length === 0
    ? "[^\\x{0}-\\x{10ffff}]"
    : `[${ranges.join("")}]`
  return Either.right({ expression, end: index + 1 })
}

/**
 * The regular expression of a glob without braces, for a whole path: `*` any characters of one name, `**` as a whole name
 * any number of directories (at the end: anything below), `?` one character, `[a-z]` one of these, `[!a-z]` none of them,
 * `\` takes the next character as it is. A glob without a slash is looked for at any depth unless `anchored`. Fails
 * with the reason why it cannot be understood.
 */
export const globExpression = (
  glob: string,
  { anchored }: { readonly anchored: boolean }
): Either.Either<string, string> =>
  Either.gen(function*() {
    const characters = Array.from(glob)
    let expression = ""
    let hasSlash = false
    let index = 0
    while (index < characters.length) {
      const character = characters[index] ?? ""
      const startsName = index === 0 || characters[index - 1] === "/"
      const afterTwo = characters[index + 2]
      if (character === "*" && characters[index + 1] === "*" && startsName && afterTwo === undefined) {
        expression += "(?s:.+)"
        index += 2
      } else if (character === "*" && characters[index + 1] === "*" && startsName && afterTwo === "/") {
        expression += "(?:[^/]+/)*"
        hasSlash = true
        index += 3
      } else if (character === "*") {
        expression += "[^/]*"
        while (characters[index] === "*") index++
      } else if (character === "?") {
        expression += "[^/]"
        index++
      } else if (character === "[") {
        const found = yield* brackets(characters, index)
        expression += found.expression
        index = found.end
      } else if (character === "\\") {
        const next = characters[index + 1]
        if (next === undefined) return yield* Either.left("it ends in a \\")
        expression += literal(next)
        hasSlash ||= next === "/"
        index += 2
      } else {
        expression += literal(character)
        hasSlash ||= character === "/"
        index++
      }
    }
    return anchored || hasSlash ? expression : `(?:[^/]+/)*${expression}`
  })
