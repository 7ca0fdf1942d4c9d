import * as Effect from "effect/Effect"
import type { InvalidPattern } from "../../../errors/filesystem.js"
import { letOthersRun, type Pacer } from "../../letOthersRun.js"
import { type Occurrence, type TextPattern, tooComplexFor } from "./TextPattern.js"

/** A line in its text. */
export interface Line {
  readonly lines: ReadonlyArray<string>
  /** 0-based. */
  readonly index: number
}

/** What is to be found, and what to do with it. */
export interface Scan {
  readonly pattern: TextPattern
  /** The pattern as it was given, for error messages. */
  readonly source: string
  /** Whether to visit every occurrence, or only the first one of every line. */
  readonly everyOccurrence: boolean
  readonly pacer: Pacer
}

const linesOf = (text: string): ReadonlyArray<string> => {
  const lines = text.split("\n").map((line) => line.endsWith("\r") ? line.slice(0, -1) : line)
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines
}

/**
 * Looks for the pattern in one line after the other: no occurrence reaches over the end of a line. Lets others run in
 * between, also within a line, and fails with InvalidPattern where a line is too long for so complex a pattern.
 */
export const scanText = (
  text: string,
  path: string,
  { everyOccurrence, pacer, pattern, source }: Scan,
  visit: (occurrence: Occurrence, line: Line) => void
): Effect.Effect<void, InvalidPattern> =>
  Effect.gen(function*() {
    const lines = linesOf(text)
    for (const [index, line] of lines.entries()) {
      if (pacer.isDue(line.length + 1)) yield* letOthersRun
      if (line.length > pattern.longestText) return yield* tooComplexFor(source, path)
      if (!pattern.has(line)) continue
      const finder = pattern.finder(line)
      for (let found = finder.next(); found !== undefined; found = finder.next()) {
        visit(found, { lines, index })
        if (!everyOccurrence) break
        if (pacer.isDue(found.work)) yield* letOthersRun
      }
    }
  })
