import * as ParseResult from "effect/ParseResult"

// What a formatter says of the value itself, which may be large, or a secret.
const actual = /, actual [^]*$/

/** Says where a value does not fit its schema, and what was expected there: the first such place, and nothing of the value. */
export const whereUnfit = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const expected = (issue?.message ?? error.message).replace(actual, "")
  return issue === undefined || issue.path.length === 0 ? expected : `${issue.path.map(String).join(".")}: ${expected}`
}
