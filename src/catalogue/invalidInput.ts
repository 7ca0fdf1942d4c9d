import * as ParseResult from "effect/ParseResult"
import { InvalidInput } from "../errors/general.js"

const longest = 500

// A formatter puts the whole value that does not fit into its message.
const shortened = (text: string) => text.length > longest ? `${text.slice(0, longest)}…` : text

/** Says which argument does not fit, and why: the first thing that is wrong. */
export const invalidInputOf = (error: ParseResult.ParseError, capability: string): InvalidInput => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const field = issue === undefined || issue.path.length === 0 ? undefined : shortened(issue.path.map(String).join("."))
  const reason = shortened(issue?.message ?? error.message)
  return new InvalidInput({
    message: field === undefined ? `The arguments of ${capability}: ${reason}` : `${field}: ${reason}`,
    capability,
    field,
    reason
  })
}
