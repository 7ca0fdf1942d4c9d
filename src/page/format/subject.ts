import * as Predicate from "effect/Predicate"

const telling = [
  "path",
  "source",
  "command",
  "url",
  "key",
  "repository_path",
  "to",
  "channel",
  "recipient",
  "name",
  "query",
  "pattern"
]

const longest = 160

/** The argument that tells best what an invocation is about, such as its path; undefined where none does. */
export const subjectOf = (given: unknown): string | undefined => {
  if (!Predicate.isRecord(given)) return undefined
  for (const name of telling) {
    const value = given[name]
    if (typeof value === "string" && value !== "") return value.length > longest ? `${value.slice(0, longest)}…` : value
  }
  return undefined
}
