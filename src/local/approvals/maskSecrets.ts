import * as Predicate from "effect/Predicate"

const secretName = /pass(word|phrase|wd)|secret|token|api[_-]?key|authorization|cookie|credential|private[_-]?key/i

// Which secret is meant is no secret.
const isPlainName = (name: string) => name === "secret_name" || name === "credential_placement"

/** What is shown in the place of a secret. */
export const masked = "[secret]"

/**
 * Arguments as they may be shown and kept: what stands under a name such as `password`, `token` or `Authorization`, however deep, is
 * masked.
 */
export const maskSecrets = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(maskSecrets)
  if (!Predicate.isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      secretName.test(name) && !isPlainName(name) && inner !== null ? masked : maskSecrets(inner)
    ])
  )
}
