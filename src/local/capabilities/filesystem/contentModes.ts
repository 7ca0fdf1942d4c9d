import * as Effect from "effect/Effect"
import type * as Catalogue from "../../../catalogue/filesystem.js"
import { type InvalidInput, ResourceExhausted } from "../../../errors/general.js"
import { byCodePoint } from "../../workspace/names.js"
import type { Handler } from "../Handler.js"
import { byRank, cut, describeLine, type FileCount, makeLineCollector, makeRanking } from "./contentResults.js"
import type { Line } from "./contentScan.js"
import { refused } from "./searchRoot.js"
import type { Occurrence, TextPattern } from "./TextPattern.js"

type SearchContent = Handler<typeof Catalogue.searchContent>
type Input = Parameters<SearchContent>[0]
type Output = Effect.Effect.Success<ReturnType<SearchContent>>

/** What becomes of the occurrences in one file. */
interface FileVisitor {
  readonly visit: (occurrence: Occurrence, line: Line) => void
  /** Called when the file has been looked through. */
  readonly end: Effect.Effect<void, ResourceExhausted>
}

/** One of the ways to answer a search. */
export interface Mode {
  /** Whether every occurrence counts, or every line that has one. */
  readonly everyOccurrence: boolean
  readonly file: (path: string) => FileVisitor
  readonly output: () => Output
}

const maximumKeys = 100_000

const totalOnly = (): Mode => {
  let total = 0
  return {
    everyOccurrence: true,
    file: () => ({
      visit: () => {
        total++
      },
      end: Effect.void
    }),
    output: () => ({ total, truncated: false })
  }
}

const tooManyKeys = () =>
  new ResourceExhausted({
    message: `The capture group has more than ${maximumKeys} different values`,
    resource: "values of the capture group",
    limit: maximumKeys
  })

const countBy = (group: number, limit: number): Mode => {
  const counts = new Map<string, number>()
  let total = 0
  return {
    everyOccurrence: true,
    file: () => ({
      visit: (occurrence) => {
        const value = occurrence.group(group)
        if (value === undefined) return
        const key = cut(value)
        total++
        counts.set(key, (counts.get(key) ?? 0) + 1)
      },
      end: Effect.suspend(() => counts.size > maximumKeys ? tooManyKeys() : Effect.void)
    }),
    output: () => {
      const sorted = Array.from(counts).sort(([key, count], [otherKey, otherCount]) =>
        otherCount - count || byCodePoint(key, otherKey)
      )
      return { counts: Object.fromEntries(sorted.slice(0, limit)), total, truncated: sorted.length > limit }
    }
  }
}

const filesOnly = (limit: number): Mode => {
  const files: Array<FileCount> = []
  let total = 0
  return {
    everyOccurrence: false,
    file: (path) => {
      let count = 0
      return {
        visit: () => {
          count++
        },
        end: Effect.sync(() => {
          if (count > 0) files.push({ path, match_count: count })
          total += count
        })
      }
    },
    output: () => ({ files: files.sort(byRank).slice(0, limit), total, truncated: files.length > limit })
  }
}

const ranked = (limit: number, contextLines: number): Mode => {
  const ranking = makeRanking(limit)
  let total = 0
  return {
    everyOccurrence: false,
    file: (path) => {
      const lines = makeLineCollector(limit)
      let count = 0
      return {
        visit: (occurrence, line) => {
          count++
          if (!lines.isFull()) lines.add(describeLine(path, occurrence, line, contextLines))
        },
        end: Effect.sync(() => {
          if (count > 0) ranking.add({ path, match_count: count, matches: lines.matches })
          total += count
        })
      }
    },
    output: () => {
      const matches = ranking.best()
      return { matches, total, truncated: total > matches.length }
    }
  }
}

const groupOf = (name: string, pattern: TextPattern): Effect.Effect<number, InvalidInput> => {
  const named = pattern.groupNames.get(name)
  if (named !== undefined) return Effect.succeed(named)
  const index = /^[1-9]\d{0,3}$/.test(name) ? Number(name) : undefined
  return index !== undefined && index <= pattern.groupCount
    ? Effect.succeed(index)
    : Effect.fail(refused("count_by", "the pattern has no such capture group"))
}

/**
 * The way to answer that the input asks for: `total_only` before `count_by` before `files_only` before ranked lines.
 * `count_by` needs `regex` and an existing capture group, whichever mode wins.
 */
export const modeOf = (input: Input, pattern: TextPattern): Effect.Effect<Mode, InvalidInput> =>
  Effect.gen(function*() {
    const { context_lines, count_by, files_only, max_results, regex, total_only } = input
    if (count_by !== undefined && !regex) return yield* refused("count_by", "it needs regex")
    const group = count_by === undefined ? undefined : yield* groupOf(count_by, pattern)
    if (total_only) return totalOnly()
    if (group !== undefined) return countBy(group, max_results)
    return files_only ? filesOnly(max_results) : ranked(max_results, context_lines)
  })
