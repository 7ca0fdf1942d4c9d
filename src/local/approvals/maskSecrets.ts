import * as Predicate from "effect/Predicate"
import { isCredentialHeader } from "../egress/credentialHeader.js"

const secretName = /pass(word|phrase|wd)|secret|token|api[_-]?key|authorization|cookie|credential|private[_-]?key/i

// Which secret is meant is no secret.
const isPlainName = (name: string) => name === "secret_name" || name === "credential_placement"

/** What is shown in the place of a secret. */
export const masked = "[secret]"

// Headers have secrets under more names than arguments have.
const maskHeaders = (headers: { readonly [name: string]: unknown }) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isCredentialHeader(name) ? masked : maskSecrets(value)])
  )

/**
 * Arguments as they may be shown and kept: what stands under a name such as `password`, `token` or `Authorization`, however deep, is
 * masked, and each header that may prove who somebody is.
 */
export const maskSecrets = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(maskSecrets)
  if (!Predicate.isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      secretName.test(name) && !isPlainName(name) && inner !== null
        ? masked
        : name === "headers" && Predicate.isReadonlyRecord(inner)
        ? maskHeaders(inner)
        : maskSecrets(inner)
    ])
  )
}
