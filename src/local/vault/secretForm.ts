import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { parse as parseHostPattern } from "../egress/HostPattern.js"
import { problemOfPattern } from "../policy/patterns.js"
import type { SecretRecord, SecretType } from "../store/Secrets.js"

/** What was to be kept cannot be: `message` says why, and never has any of the value. */
export class InvalidSecret extends Data.TaggedError("InvalidSecret")<{ readonly message: string }> {}

/** How long a value has to be at least, in characters: less could not be told from what else there is in an answer. */
export const shortestValue = 8

/** How long a value can be, in characters. */
export const longestValue = 16_384

const mostPatterns = 100

const invalid = (message: string) => Either.left(new InvalidSecret({ message }))

/** Whether this can be the name of a secret. */
export const isSecretName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)

const firstProblem = (
  what: string,
  patterns: ReadonlyArray<string>,
  problemOf: (pattern: string) => string | undefined
): string | undefined =>
  patterns.length > mostPatterns
    ? `there can be ${mostPatterns} ${what} at most`
    : patterns.map(problemOf).find(Predicate.isNotUndefined)

const problemOfAgent = (agent: string) =>
  agent === "*" || /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(agent)
    ? undefined
    : `${JSON.stringify(agent.slice(0, 100))} is no name of an agent: write one, or *`

const problemOfHost = (host: string) => Option.getOrUndefined(Either.getLeft(parseHostPattern(host)))

/** Whose secret it is, and what for. */
export type Scopes = Pick<SecretRecord, "agents" | "capabilities" | "hosts">

/** Fails where a name or a scope is none. */
export const checkForm = (
  name: string,
  { agents, capabilities, hosts }: Scopes
): Either.Either<void, InvalidSecret> => {
  if (!isSecretName(name)) {
    return invalid(
      `${JSON.stringify(name.slice(0, 100))} is no name of a secret: 1 to 128 letters, digits, "-", "_" and ".", `
        + "with a letter or digit first"
    )
  }
  const problem = firstProblem("agents", agents, problemOfAgent)
    ?? firstProblem("capabilities", capabilities, problemOfPattern)
    ?? firstProblem("hosts", hosts, problemOfHost)
  return problem === undefined ? Either.void : invalid(problem)
}

const decodeJson = Schema.decodeOption(Schema.parseJson())

const objectIn = (text: string): { readonly [name: string]: unknown } | undefined => {
  const parsed = text.trimStart().startsWith("{") ? Option.getOrUndefined(decodeJson(text)) : undefined
  return Predicate.isReadonlyRecord(parsed) ? parsed : undefined
}

const tokenIn = (text: string): unknown => objectIn(text)?.["access_token"] ?? text

/** What of a value goes out: of an OAuth token that is kept as a whole answer of its server, the access token. */
export const injectedOf = (type: SecretType, value: Redacted.Redacted<string>): Redacted.Redacted<string> => {
  const token = type === "oauth_token" ? tokenIn(Redacted.value(value)) : undefined
  return typeof token === "string" ? Redacted.make(token) : value
}

const isPublicField = (name: string): boolean => /^(?:token_type|issued_token_type|scope|.*_(?:uri|url|at))$/.test(name)

const textsIn = (value: unknown, depth = 0): ReadonlyArray<string> => {
  if (typeof value === "string") return [value]
  if (depth > 8) return []
  if (Array.isArray(value)) return value.flatMap((item) => textsIn(item, depth + 1))
  return Predicate.isReadonlyRecord(value)
    ? Object.entries(value).flatMap(([name, inner]) => isPublicField(name) ? [] : textsIn(inner, depth + 1))
    : []
}

/** All of a value that nobody may see in an answer. */
export const secretTexts = (type: SecretType, value: Redacted.Redacted<string>): ReadonlyArray<string> => {
  const text = Redacted.value(value)
  return type === "oauth_token" ? [text, ...textsIn(objectIn(text) ?? {})] : [text]
}

/** Fails where a value cannot be kept. */
export const checkValue = (type: SecretType, value: Redacted.Redacted<string>): Either.Either<void, InvalidSecret> => {
  const text = Redacted.value(value)
  if (text.length > longestValue) return invalid(`a value can have ${longestValue} characters at most`)
  if (text.includes("\0")) return invalid("the value has a NUL character in it")
  const token = type === "oauth_token" ? tokenIn(text) : text
  if (typeof token !== "string") return invalid("the value is JSON, and its access_token is no text")
  if (type === "oauth_token" && token === text && objectIn(text) !== undefined) {
    return invalid("the value is JSON without an access_token")
  }
  return token.length < shortestValue
    ? invalid(`a value has ${shortestValue} characters at least: less could not be kept out of what hosts answer`)
    : Either.void
}
