import * as Effect from "effect/Effect"
import type { InvalidPattern } from "../../../errors/filesystem.js"
import { ResourceExhausted } from "../../../errors/general.js"
import { letOthersRun, type Pacer } from "../../letOthersRun.js"
import type { Replacement } from "./replacement.js"
import { type TextPattern, tooComplexFor } from "./TextPattern.js"

/** One replacement: from `start` to `end` of the old text, `length` characters of the new one. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly length: number
}

export interface Replaced {
  readonly text: string
  /** One for every occurrence, from left to right. */
  readonly spans: ReadonlyArray<Span>
}

/** What to replace by what. */
export interface Substitution {
  readonly pattern: TextPattern
  /** The pattern as it was given, for error messages. */
  readonly source: string
  readonly replacement: Replacement
  readonly pacer: Pacer
}

const maximumLength = 8 * 1024 * 1024

const tooLong = (path: string) =>
  new ResourceExhausted({
    message: `${path} would become longer than ${maximumLength} characters`,
    resource: "length of a file",
    limit: maximumLength
  })

/**
 * Replaces every occurrence in a text, and says where. Lets others run in between. Fails with ResourceExhausted where the
 * new text would have more than 8 Mi characters, and with InvalidPattern where the text is too long for the pattern.
 */
export const replaceText = (
  text: string,
  path: string,
  { pacer, pattern, replacement, source }: Substitution
): Effect.Effect<Replaced, InvalidPattern | ResourceExhausted> =>
  Effect.gen(function*() {
    if (text.length > pattern.longestText) return yield* tooComplexFor(source, path)
    const pieces: Array<string> = []
    const spans: Array<Span> = []
    let length = text.length
    let from = 0
    if (pacer.isDue(text.length)) yield* letOthersRun
    if (!pattern.has(text)) return { text, spans }
    const finder = pattern.finder(text)
    for (let found = finder.next(); found !== undefined; found = finder.next()) {
      const inserted = replacement(found)
      length += inserted.length - (found.end - found.start)
      if (length > maximumLength) return yield* tooLong(path)
      pieces.push(text.slice(from, found.start), inserted)
      spans.push({ start: found.start, end: found.end, length: inserted.length })
      from = found.end
      if (pacer.isDue(found.work)) yield* letOthersRun
    }
    return { text: [...pieces, text.slice(from)].join(""), spans }
  })
