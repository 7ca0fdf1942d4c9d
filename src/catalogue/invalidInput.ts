import * as ParseResult from "effect/ParseResult"
import { InvalidInput } from "../errors/general.js"

/** Says which argument does not fit, and why: the first thing that is wrong. */
export const invalidInputOf = (error: ParseResult.ParseError, capability: string): InvalidInput => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const field = issue === undefined || issue.path.length === 0 ? undefined : issue.path.map(String).join(".")
  const reason = issue?.message ?? error.message
  return new InvalidInput({
    message: field === undefined ? `The arguments of ${capability}: ${reason}` : `${field}: ${reason}`,
    capability,
    field,
    reason
  })
}
