import * as Effect from "effect/Effect"
import { RE2JS, RE2JSException } from "re2js"
import { InvalidPattern } from "../../../errors/filesystem.js"

/** One occurrence of a pattern in a text; `start` and `end` are UTF-16 code units. */
export interface Occurrence {
  readonly start: number
  readonly end: number
  /** The most characters that may have been looked at to find it. */
  readonly work: number
  /** What a capture group holds; undefined where it took no part. Group 0 is the whole occurrence. */
  readonly group: (index: number) => string | undefined
}

/** Finds the occurrences of a pattern in one text from left to right; they do not overlap. */
export interface Finder {
  readonly next: () => Occurrence | undefined
}

/** A literal text or a regular expression that has been understood. */
export interface TextPattern {
  readonly has: (text: string) => boolean
  readonly finder: (text: string) => Finder
  /** The longest text to give to `has` and `finder`; longer ones would keep the process from everything else for seconds. */
  readonly longestText: number
  /** The number of capture groups; the whole occurrence is not one. */
  readonly groupCount: number
  readonly groupNames: ReadonlyMap<string, number>
}

const maximumExpressionLength = 1_000
const maximumLiteralLength = 65_536
const maximumProgramSize = 2_000
const maximumSteps = 2 ** 27

const literalPattern = (pattern: string): TextPattern => ({
  has: (text) => text.includes(pattern),
  finder: (text) => {
    let from = 0
    return {
      next: () => {
        const start = text.indexOf(pattern, from)
        if (start < 0) {
          from = text.length + 1
          return undefined
        }
        const work = start + pattern.length - from
        from = start + pattern.length
        return { start, end: from, work, group: (index) => index === 0 ? pattern : undefined }
      }
    }
  },
  longestText: Number.POSITIVE_INFINITY,
  groupCount: 0,
  groupNames: new Map()
})

const expressionPattern = (compiled: RE2JS): TextPattern => ({
  has: (text) => compiled.test(text),
  finder: (text) => {
    const matcher = compiled.matcher(text)
    let from = 0
    return {
      next: () => {
        if (!matcher.find()) return undefined
        // To see that no better occurrence begins here, it may have been looked to the very end.
        const work = text.length - from
        from = matcher.end()
        return { start: matcher.start(), end: from, work, group: (index) => matcher.group(index) ?? undefined }
      }
    }
  },
  longestText: Math.floor(maximumSteps / compiled.programSize()),
  groupCount: compiled.groupCount(),
  groupNames: new Map(Object.entries(compiled.namedGroups()))
})

/** The pattern cannot be understood, or is refused. */
export const invalidPattern = (pattern: string, reason: string): InvalidPattern =>
  new InvalidPattern({ message: `The pattern cannot be used: ${reason}`, pattern: pattern.slice(0, 1_000) })

/** The pattern cannot be applied to this text in reasonable time. */
export const tooComplexFor = (pattern: string, path: string): InvalidPattern =>
  invalidPattern(pattern, `it is too complex for the length of the text in ${path}`)

const compile = (pattern: string): Effect.Effect<TextPattern, InvalidPattern> =>
  Effect.try({
    try: () => RE2JS.compile(pattern, RE2JS.MULTILINE),
    catch: (cause) =>
      invalidPattern(pattern, cause instanceof RE2JSException ? cause.message : "it is no regular expression")
  }).pipe(
    Effect.filterOrFail(
      (compiled) => compiled.programSize() <= maximumProgramSize,
      () => invalidPattern(pattern, "it is too complex")
    ),
    Effect.map(expressionPattern)
  )

/**
 * Understands a literal text of up to 65,536 characters, or with `regex` a regular expression of up to 1,000, in the
 * syntax of RE2: no back-references and no look-around, and in return no text makes it take exponential time. `^` and `$`
 * stand for the start and the end of a line. Case matters unless the expression begins with `(?i)`. Fails with
 * InvalidPattern.
 */
export const makeTextPattern = (
  pattern: string,
  { regex }: { readonly regex: boolean }
): Effect.Effect<TextPattern, InvalidPattern> => {
  const limit = regex ? maximumExpressionLength : maximumLiteralLength
  if (pattern === "") return Effect.fail(invalidPattern(pattern, "it is empty"))
  if (pattern.length > limit) return Effect.fail(invalidPattern(pattern, `it is longer than ${limit} characters`))
  if (/\p{Surrogate}/u.test(pattern)) return Effect.fail(invalidPattern("", "it is not valid Unicode"))
  return regex ? compile(pattern) : Effect.succeed(literalPattern(pattern))
}
