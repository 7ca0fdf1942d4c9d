import { Buffer } from "node:buffer"
import { byCodePoint } from "../../workspace/names.js"
import type { Line } from "./contentScan.js"
import type { Occurrence } from "./TextPattern.js"

/** A line that matches. */
export interface LineMatch {
  readonly path: string
  readonly line: number
  readonly column: number
  readonly text: string
  readonly enclosing_snippet: string
}

/** The number of matching lines of a file. */
export interface FileCount {
  readonly path: string
  readonly match_count: number
}

const maximumTextLength = 500

/** The most characters of snippets that one result holds. */
const maximumSnippets = 4 * 1024 * 1024

/** A part of a text that does not keep the whole text in memory, as `slice` would. */
const copy = (text: string): string => Buffer.from(text, "utf16le").toString("utf16le")

/** A text of at most 500 characters, cut between two of them. */
export const cut = (text: string): string => {
  if (text.length <= maximumTextLength) return text
  const last = text.charCodeAt(maximumTextLength - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? maximumTextLength - 1 : maximumTextLength)
}

/** Describes the line of an occurrence, with the lines around it. */
export const describeLine = (
  path: string,
  { start }: Occurrence,
  { index, lines }: Line,
  contextLines: number
): LineMatch => ({
  path,
  line: index + 1,
  column: start + 1,
  text: copy(cut(lines[index] ?? "")),
  enclosing_snippet: copy(
    lines.slice(Math.max(0, index - contextLines), index + contextLines + 1).map(cut).join("\n")
  )
})

/** Sorts the files with the most matching lines first, then by path. */
export const byRank = (one: FileCount, other: FileCount): number =>
  other.match_count - one.match_count || byCodePoint(one.path, other.path)

interface RankedFile extends FileCount {
  readonly matches: ReadonlyArray<LineMatch>
}

const lengthOf = (matches: ReadonlyArray<LineMatch>): number =>
  matches.reduce((sum, match) => sum + match.text.length + match.enclosing_snippet.length, 0)

/** Collects matching lines, and holds not many more than the best. */
export interface Ranking {
  /** The matches are the first ones of the file; `match_count` counts all of them. */
  readonly add: (file: RankedFile) => void
  readonly best: () => ReadonlyArray<LineMatch>
}

/**
 * Ranks matching lines: those of the file with the most of them first, then by path, then by line. Gives at most so many,
 * and at most 4 MiB of characters.
 */
export const makeRanking = (limit: number): Ranking => {
  let files: Array<RankedFile> = []
  let lines = 0
  let length = 0

  const keepBest = () => {
    const kept: Array<RankedFile> = []
    lines = 0
    length = 0
    for (const file of files.sort(byRank)) {
      if (lines >= limit || length >= maximumSnippets) break
      kept.push(file)
      lines += file.matches.length
      length += lengthOf(file.matches)
    }
    files = kept
  }

  return {
    add: (file) => {
      files.push(file)
      lines += file.matches.length
      length += lengthOf(file.matches)
      if (lines > 2 * limit || length > 2 * maximumSnippets) keepBest()
    },
    best: () => {
      keepBest()
      const best: Array<LineMatch> = []
      let left = maximumSnippets
      for (const match of files.flatMap(({ matches }) => matches)) {
        left -= match.text.length + match.enclosing_snippet.length
        if (best.length === limit || left < 0) break
        best.push(match)
      }
      return best
    }
  }
}

/** Collects the first matching lines of one file. */
export interface LineCollector {
  readonly matches: ReadonlyArray<LineMatch>
  /** Whether no further line of the file could be shown. */
  readonly isFull: () => boolean
  readonly add: (match: LineMatch) => void
}

export const makeLineCollector = (limit: number): LineCollector => {
  const matches: Array<LineMatch> = []
  let length = 0
  return {
    matches,
    isFull: () => matches.length >= limit || length >= maximumSnippets,
    add: (match) => {
      matches.push(match)
      length += match.text.length + match.enclosing_snippet.length
    }
  }
}
