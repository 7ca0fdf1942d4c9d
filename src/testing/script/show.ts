import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { masked, maskSecrets } from "../../local/approvals/maskSecrets.js"

const longestText = 2000

const mostElements = 100

const nameOf = (name: string) => /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)

/** Whether what stands under a name is a secret, as the gateway takes it; `around` is the name of what it stands in. */
export const isSecret = (name: string, around?: string): boolean => {
  const one = { [name]: "" }
  const shown = maskSecrets(around === "headers" ? { headers: one } : one)
  return JSON.stringify(shown).includes(masked)
}

const textOf = (text: string) =>
  text.length <= longestText
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, longestText))} /* and ${text.length - longestText} characters more */`

const someOf = (parts: ReadonlyArray<string>) =>
  parts.length <= mostElements ? parts : [...parts.slice(0, mostElements), "/* and more */"]

type Secrets = "masked" | "shown"

const write = (value: unknown, secrets: Secrets, name: string | undefined): string => {
  if (typeof value === "string") return textOf(value)
  if (DateTime.isDateTime(value)) return `DateTime.unsafeMake(${JSON.stringify(DateTime.formatIso(value))})`
  if (Duration.isDuration(value)) return `Duration.millis(${Duration.toMillis(value)})`
  if (Redacted.isRedacted(value)) return `Redacted.make(${JSON.stringify(masked)})`
  if (value instanceof Uint8Array) {
    return `Uint8Array.of(${someOf(Array.from(value.slice(0, mostElements + 1), String)).join(", ")})`
  }
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (Array.isArray(value)) return `[${someOf(value.map((element) => write(element, secrets, name))).join(", ")}]`
  if (!Predicate.isReadonlyRecord(value)) return String(value)
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined)
  if (fields.length === 0) return "{}"
  const parts = fields.map(([key, inner]) =>
    `${nameOf(key)}: ${
      secrets === "masked" && inner !== null && isSecret(key, name)
        ? JSON.stringify(masked)
        : write(inner, secrets, key)
    }`
  )
  return `{ ${someOf(parts).join(", ")} }`
}

/**
 * A value as it is written in TypeScript, in one line, as far as that can be done; secrets are masked, and what is very long is cut
 * off.
 */
export const show = (value: unknown): string => write(value, "masked", undefined)

/** The same for what is known to hold no secret, whatever the names of its fields say. */
export const showPlainly = (value: unknown): string => write(value, "shown", undefined)
