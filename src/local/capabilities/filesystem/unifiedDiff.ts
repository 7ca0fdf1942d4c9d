import type { Span } from "./replaceText.js"

const contextLines = 3

/** Lines of the old text that other lines of the new text take the place of; `start` counts from 0. */
interface Change {
  readonly start: number
  readonly removed: ReadonlyArray<string>
  readonly added: ReadonlyArray<string>
}

/** The lines of a text with their ends. */
const linesOf = (text: string): ReadonlyArray<string> => text.match(/[^\n]*\n|[^\n]+$/g) ?? []

const startsOf = (lines: ReadonlyArray<string>): ReadonlyArray<number> => {
  const starts: Array<number> = [0]
  let position = 0
  for (const line of lines) starts.push(position += line.length)
  return starts
}

const withoutCommonLines = ({ added, removed, start }: Change): Change => {
  let before = 0
  while (before < removed.length && before < added.length && removed[before] === added[before]) before++
  let after = 0
  while (
    after < removed.length - before && after < added.length - before && removed.at(-1 - after) === added.at(-1 - after)
  ) after++
  return {
    start: start + before,
    removed: removed.slice(before, removed.length - after),
    added: added.slice(before, added.length - after)
  }
}

/** The changed lines, found from where the replacements were made: no need to compare the texts. */
const changesOf = (
  oldLines: ReadonlyArray<string>,
  newText: string,
  spans: ReadonlyArray<Span>
): ReadonlyArray<Change> => {
  const starts = startsOf(oldLines)
  const changes: Array<Change> = []
  let line = 0
  let shift = 0
  let index = 0
  while (index < spans.length) {
    const first = spans[index]
    if (first === undefined) break
    while (line + 1 < oldLines.length && (starts[line + 1] ?? 0) <= first.start) line++
    const start = line
    const shiftBefore = shift
    let end = line + 1
    // A replacement that begins in the last line taken so far, or right after it, belongs to the same change.
    for (let span = spans[index]; span !== undefined && span.start <= (starts[end] ?? 0); span = spans[++index]) {
      while (end < oldLines.length && (starts[end] ?? 0) <= span.end) end++
      shift += span.length - (span.end - span.start)
    }
    const from = (starts[start] ?? 0) + shiftBefore
    const to = (starts[Math.min(end, oldLines.length)] ?? 0) + shift
    const change = withoutCommonLines({
      start,
      removed: oldLines.slice(start, end),
      added: linesOf(newText.slice(from, to))
    })
    if (change.removed.length + change.added.length > 0) changes.push(change)
    line = Math.min(end, Math.max(oldLines.length - 1, 0))
  }
  return changes
}

const marked = (mark: string, line: string): string =>
  line.endsWith("\n") ? mark + line : `${mark}${line}\n\\ No newline at end of file\n`

const rangeOf = (start: number, count: number): string => `${count === 0 ? start : start + 1},${count}`

const hunkOf = (oldLines: ReadonlyArray<string>, changes: ReadonlyArray<Change>, shift: number): string => {
  const first = changes[0]
  const last = changes.at(-1)
  if (first === undefined || last === undefined) return ""
  const start = Math.max(0, first.start - contextLines)
  const end = Math.min(oldLines.length, last.start + last.removed.length + contextLines)
  const body: Array<string> = []
  let position = start
  let growth = 0
  for (const { added, removed, start: changed } of changes) {
    for (const line of oldLines.slice(position, changed)) body.push(marked(" ", line))
    for (const line of removed) body.push(marked("-", line))
    for (const line of added) body.push(marked("+", line))
    position = changed + removed.length
    growth += added.length - removed.length
  }
  for (const line of oldLines.slice(position, end)) body.push(marked(" ", line))
  const count = end - start
  return `@@ -${rangeOf(start, count)} +${rangeOf(start + shift, count + growth)} @@\n${body.join("")}`
}

const growthOf = (changes: ReadonlyArray<Change>): number =>
  changes.reduce((sum, { added, removed }) => sum + added.length - removed.length, 0)

/** Changes so near to one another that their context lines touch. */
const grouped = (changes: ReadonlyArray<Change>): ReadonlyArray<ReadonlyArray<Change>> => {
  const groups: Array<Array<Change>> = []
  let end = Number.NEGATIVE_INFINITY
  for (const change of changes) {
    if (change.start - end <= 2 * contextLines) groups.at(-1)?.push(change)
    else groups.push([change])
    end = change.start + change.removed.length
  }
  return groups
}

/**
 * The unified diff of a file, with three lines of context, from the replacements made in it: its time is linear in the
 * length of the texts. `name` is the path below the root, for `patch -p1`. Empty where no line changed.
 */
export const unifiedDiff = (
  name: string,
  oldText: string,
  newText: string,
  spans: ReadonlyArray<Span>
): string => {
  const oldLines = linesOf(oldText)
  let shift = 0
  const hunks = grouped(changesOf(oldLines, newText, spans)).map((changes) => {
    const hunk = hunkOf(oldLines, changes, shift)
    shift += growthOf(changes)
    return hunk
  })
  return hunks.length === 0 ? "" : `--- a/${name}\n+++ b/${name}\n${hunks.join("")}`
}
