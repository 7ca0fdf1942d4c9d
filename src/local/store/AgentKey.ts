import * as Redacted from "effect/Redacted"
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"

/** A new key: 32 random bytes as 64 lower-case hexadecimal characters. */
export const generate = (): Redacted.Redacted<string> => Redacted.make(randomBytes(32).toString("hex"))

/** Whether a key has the form of one: 64 hexadecimal characters. */
export const isWellFormed = (key: Redacted.Redacted<string>): boolean => /^[0-9a-fA-F]{64}$/.test(Redacted.value(key))

/** What the store keeps of a key. A plain SHA-256 will do: there is nothing to guess in 256 random bits. */
interface KeyHash {
  readonly hash: string
  readonly prefix: string
}

/** The hash of a key and the part of it that rows are looked up by. */
export const hashOf = (key: Redacted.Redacted<string>): KeyHash => {
  const hash = createHash("sha256").update(Redacted.value(key), "utf8").digest("hex")
  return { hash, prefix: hash.slice(0, 8) }
}

/** Compares two hashes in a time that does not depend on where they differ. */
export const isSame = (left: string, right: string): boolean => {
  const [a, b] = [Buffer.from(left, "utf8"), Buffer.from(right, "utf8")]
  return a.length === b.length && timingSafeEqual(a, b)
}
