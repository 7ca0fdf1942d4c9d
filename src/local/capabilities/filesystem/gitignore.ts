import * as Either from "effect/Either"
import { compileExpression, type Glob } from "./Glob.js"
import { globExpression } from "./globExpression.js"

interface Rule {
  readonly glob: Glob
  readonly negated: boolean
  readonly directoriesOnly: boolean
}

/** The rules of one `.gitignore` file, in the order of the file. */
export type IgnoreRules = ReadonlyArray<Rule>

const maximumRuleLength = 1_000

const withoutTrailingSpaces = (line: string): string => {
  let end = line.length
  while (line[end - 1] === " ") end--
  // The last of the spaces is kept where a backslash stands before it.
  return end < line.length && /(?:^|[^\\])(?:\\\\)*\\$/.test(line.slice(0, end))
    ? line.slice(0, end + 1)
    : line.slice(0, end)
}

const parseLine = (line: string): ReadonlyArray<Rule> => {
  const text = withoutTrailingSpaces(line.replace(/\r$/, ""))
  if (text === "" || text.startsWith("#") || text.length > maximumRuleLength) return []
  const negated = text.startsWith("!")
  const rule = negated ? text.slice(1) : text
  const directoriesOnly = rule.endsWith("/")
  const body = directoriesOnly ? rule.slice(0, -1) : rule
  const anchored = body.startsWith("/")
  const glob = globExpression(anchored ? body.slice(1) : body, { anchored }).pipe(Either.flatMap(compileExpression))
  return body === "" || Either.isLeft(glob) ? [] : [{ glob: glob.right, negated, directoriesOnly }]
}

/**
 * Understands the text of a `.gitignore` file: comments, blank lines, `!`, a slash at the end for directories, a slash
 * elsewhere for paths that count from the file's directory, `*`, `?`, `[…]`, `**`. A line that makes no sense is left out,
 * as git does. There are no braces in it.
 */
export const parseIgnoreRules = (text: string): IgnoreRules => text.split("\n").flatMap(parseLine)

/** What the rules say of a path relative to the file's directory; undefined where they say nothing. The last one counts. */
export const ignoredBy = (rules: IgnoreRules, relative: string, isDirectory: boolean): boolean | undefined => {
  const last = rules.findLast((rule) => (isDirectory || !rule.directoriesOnly) && rule.glob.matches(relative))
  return last === undefined ? undefined : !last.negated
}
