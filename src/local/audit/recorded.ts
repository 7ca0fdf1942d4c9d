import * as Predicate from "effect/Predicate"
import { createHash } from "node:crypto"
import { masked, maskSecrets } from "../approvals/maskSecrets.js"

const longestText = 1024
const longest = 8192
const mostParts = 1000
const deepest = 32

const secretNames = "pass(?:word|phrase|wd)|secret|token|api[_-]?key|authorization|cookie|credential|private[_-]?key"

// What stands within a text, such as a command line or the address of a page, has no name of its own.
const secretsInText: ReadonlyArray<readonly [RegExp, string]> = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END|$)/g, masked],
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@]{0,100}):[^\s/@]+@/gi, `$1:${masked}@`],
  [/\b(bearer|basic)(\s+)[\w.~+/=-]{4,}/gi, `$1$2${masked}`],
  [
    new RegExp(
      `((?:${secretNames})[\\w-]{0,40}["']?\\s{0,4}[=:]\\s{0,4}["']?)(?!(?:bearer|basic)\\s)[^\\s"'&;,]+`,
      "gi"
    ),
    `$1${masked}`
  ],
  // What signs the address of a page.
  [/([?&][\w.-]{0,40}(?:sig|signature|auth|key)=)[^\s"'&;,#]+/gi, `$1${masked}`],
  [new RegExp(`(--?[\\w-]{0,40}(?:${secretNames})[\\w-]{0,40}\\s+)(?!-)\\S+`, "gi"), `$1${masked}`]
]

const mayHoldSecret = new RegExp(`${secretNames}|bearer|basic|://|-----BEGIN`, "i")

const secretOption = new RegExp(`^--?[\\w-]{0,40}(?:${secretNames})[\\w-]{0,40}$`, "i")

// The arguments of a command are texts of their own.
const isSecretOption = (previous: unknown) => typeof previous === "string" && secretOption.test(previous)

/** A text as it may be kept: what looks like a secret in it is masked. */
export const recordedText = (text: string): string =>
  mayHoldSecret.test(text)
    ? secretsInText.reduce((rest, [pattern, replacement]) => rest.replaceAll(pattern, replacement), text)
    : text

const left = (text: string) => ({
  left_out: "text",
  characters: text.length,
  sha256: createHash("sha256").update(text).digest("hex")
})

const shortened = (value: unknown): unknown => {
  let parts = 0
  let characters = 0
  const shorten = (inner: unknown, depth: number): unknown => {
    if (++parts > mostParts || depth > deepest || characters > longest) return { left_out: "too much" }
    if (typeof inner === "string") {
      if (inner.length > longestText) return left(inner)
      characters += inner.length
      return recordedText(inner)
    }
    if (Array.isArray(inner)) {
      return inner.length > mostParts
        ? { left_out: "list", items: inner.length }
        : inner.map((item, index) => isSecretOption(inner[index - 1]) ? masked : shorten(item, depth + 1))
    }
    if (!Predicate.isRecord(inner)) return inner
    const entries = Object.entries(inner)
    return entries.length > mostParts
      ? { left_out: "object", fields: entries.length }
      : Object.fromEntries(entries.map(([name, field]) => [name.slice(0, 200), shorten(field, depth + 1)]))
  }
  return shorten(value, 0)
}

/**
 * Arguments as the audit log keeps them, as JSON: what stands under the name of a secret, or looks like one, is masked, and in the
 * place of a text of more than 1,024 characters stand their number and its SHA-256. At most about 8 kB.
 */
export const recordedArguments = (input: unknown): string => {
  if (input === undefined) return "{}"
  const text = JSON.stringify(maskSecrets(shortened(input)))
  return text === undefined || text.length > longest ? JSON.stringify(left(text ?? "")) : text
}
