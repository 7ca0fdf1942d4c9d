import * as Either from "effect/Either"

const maximumAlternatives = 32
const maximumNesting = 32

interface Parsed {
  readonly alternatives: ReadonlyArray<string>
  /** Where the parser stopped: at a comma, a closing brace or the end. */
  readonly end: number
}

/** The index after a bracket expression, or after the bracket alone where it is never closed. */
const endOfBrackets = (glob: string, start: number): number => {
  const first = /[!^]/.test(glob.charAt(start + 1)) ? start + 2 : start + 1
  for (let index = first; index < glob.length; index++) {
    if (glob[index] === "\\") index++
    else if (glob[index] === "]" && index > first) return index + 1
  }
  return start + 1
}

const tooMany: Either.Either<never, string> = Either.left(`it has more than ${maximumAlternatives} alternatives`)

const joined = (
  left: ReadonlyArray<string>,
  right: ReadonlyArray<string>
): Either.Either<ReadonlyArray<string>, string> =>
  left.length * right.length > maximumAlternatives
    ? tooMany
    : Either.right(left.flatMap((start) => right.map((rest) => start + rest)))

const parseSequence = (glob: string, start: number, nesting: number): Either.Either<Parsed, string> =>
  Either.gen(function*() {
    let alternatives: ReadonlyArray<string> = [""]
    let index = start
    while (index < glob.length) {
      const character = glob.charAt(index)
      if (nesting > 0 && (character === "," || character === "}")) break
      if (character === "{") {
        const group = yield* parseGroup(glob, index, nesting + 1)
        alternatives = yield* joined(alternatives, group.alternatives)
        index = group.end
      } else {
        const end = character === "\\" ? index + 2 : character === "[" ? endOfBrackets(glob, index) : index + 1
        const text = glob.slice(index, end)
        alternatives = alternatives.map((alternative) => alternative + text)
        index = end
      }
    }
    return { alternatives, end: index }
  })

const parseGroup = (glob: string, start: number, nesting: number): Either.Either<Parsed, string> =>
  Either.gen(function*() {
    if (nesting > maximumNesting) return yield* Either.left(`its braces are nested more than ${maximumNesting} deep`)
    const found: Array<string> = []
    let end = start
    let parts = 0
    do {
      const part = yield* parseSequence(glob, end + 1, nesting)
      if (part.end >= glob.length) return yield* Either.left("a { has no }")
      found.push(...part.alternatives)
      if (found.length > maximumAlternatives) return yield* tooMany
      end = part.end
      parts++
    } while (glob[end] === ",")
    if (parts > 1) return { alternatives: found, end: end + 1 }
    if (/^[^{}]*\.\.[^{}]*$/.test(glob.slice(start + 1, end))) {
      return yield* Either.left("ranges such as {1..3} are not supported: list the alternatives")
    }
    return { alternatives: found.map((only) => `\\{${only}\\}`), end: end + 1 }
  })

/**
 * The globs without braces that a glob with braces stands for: `a{b,c}d` is `abd` and `acd`. Braces without a comma stand
 * for themselves. Fails with a reason: more than 32 alternatives or levels, a brace that is never closed, a range.
 */
export const expandBraces = (glob: string): Either.Either<ReadonlyArray<string>, string> =>
  Either.map(parseSequence(glob, 0, 0), ({ alternatives }) => alternatives)
