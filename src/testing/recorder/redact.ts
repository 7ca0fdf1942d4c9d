import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { masked } from "../../local/approvals/maskSecrets.js"
import { isSecret } from "../script/show.js"

/** What must not get into a cassette besides what is a secret by its name: a text, or what a pattern finds. */
export type Redaction = string | RegExp | Redacted.Redacted<string>

/** Gives a JSON value without its secrets. `secretNames` are names under which one stands besides. */
export type Redact = (value: unknown, secretNames?: ReadonlySet<string>) => unknown

const escape = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")

const always: ReadonlyArray<RegExp> = [
  /(?<=\bauthorization["']?\s*[:=]\s*["']?)(?!\[secret\])(?:(?:bearer|basic|token)\s+)?[^\s"',;]+/gi,
  /(?<=\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}/gi
]

const patternOf = (redaction: Redaction): RegExp | undefined => {
  if (redaction instanceof RegExp) {
    return redaction.global ? redaction : new RegExp(redaction.source, `${redaction.flags}g`)
  }
  const text = Redacted.isRedacted(redaction) ? Redacted.value(redaction) : redaction
  return text === "" ? undefined : new RegExp(escape(text), "g")
}

const none: ReadonlySet<string> = new Set()

// As it was, but for its texts and numbers: what is replayed has to fit the schema of what it is.
const maskAll = (value: unknown): unknown => {
  if (typeof value === "string") return masked
  if (typeof value === "number") return 0
  if (Array.isArray(value)) return value.map(maskAll)
  if (!Predicate.isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, maskAll(inner)]))
}

const listed = new Set(["name", "type", "allowed_capabilities", "created_at", "revoked"])

// What `secrets.list` tells: which secrets there are, and none of them.
const isSecretsList = (name: string, value: unknown) =>
  name === "secrets" && Array.isArray(value) &&
  value.every((item) => Predicate.isReadonlyRecord(item) && Object.keys(item).every((field) => listed.has(field)))

// An entry of a list of headers, of variables, or of the state.
const namesSecret = (record: { readonly [name: string]: unknown }, around: string | undefined) =>
  [record["name"], record["key"]].some((name) => typeof name === "string" && isSecret(name, around))

const parsedObject = (text: string): unknown => {
  if (!/^\s*[{[]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Makes what takes secrets out: what a gateway masks in what it shows, credentials in texts, and what is given. */
export const make = (redactions: ReadonlyArray<Redaction>): Redact => {
  const patterns = [...redactions.flatMap((redaction) => patternOf(redaction) ?? []), ...always]
  const clean = (text: string) => patterns.reduce((rest, pattern) => rest.replace(pattern, masked), text)

  const text = (value: string, secretNames: ReadonlySet<string>) => {
    const parsed = parsedObject(value)
    if (parsed === undefined) return clean(value)
    // A text of JSON stays as it is written, unless it has a secret.
    const before = JSON.stringify(parsed)
    const after = JSON.stringify(redact(parsed, secretNames, undefined))
    return after === before ? clean(value) : after
  }

  const redact = (value: unknown, secretNames: ReadonlySet<string>, around: string | undefined): unknown => {
    if (typeof value === "string") return text(value, secretNames)
    if (Array.isArray(value)) return value.map((item) => redact(item, secretNames, around))
    if (!Predicate.isReadonlyRecord(value)) return value
    const hidesValue = namesSecret(value, around)
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => {
        const isHidden = secretNames.has(name) || (hidesValue && name === "value") ||
          (isSecret(name, around) && !isSecretsList(name, inner))
        return [clean(name), isHidden ? maskAll(inner) : redact(inner, secretNames, name)]
      })
    )
  }

  return (value, secretNames = none) => redact(value, secretNames, undefined)
}
