import * as Data from "effect/Data"

/** What is wrong with a policy file, and where: line and column count from 1, and are 0 where the whole file is meant. */
export interface PolicyProblem {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** A problem in one line, as compilers write them: `file:line:column: message`. */
export const formatProblem = ({ column, file, line, message }: PolicyProblem): string =>
  line === 0 ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`

/** A policy cannot be used. There is at least one problem; the first one is in the message. */
export class InvalidPolicy extends Data.TaggedError("InvalidPolicy")<{
  readonly problems: readonly [PolicyProblem, ...ReadonlyArray<PolicyProblem>]
}> {
  override get message() {
    const [first, ...others] = this.problems
    return `${formatProblem(first)}${others.length === 0 ? "" : ` (and ${others.length} more)`}`
  }
}

/** A problem with a file as a whole. */
export const wholeFile = (file: string, message: string): InvalidPolicy =>
  new InvalidPolicy({ problems: [{ file, line: 0, column: 0, message }] })
