import * as Context from "effect/Context"
import { PCGRandom } from "effect/Utils"
import { randomBytes, randomUUID } from "node:crypto"

/** What the random parts of names are drawn from. */
export interface IdentifiersService {
  /** A UUID of version 4. */
  readonly uuid: () => string
  /** That many random bytes, as hexadecimal digits. */
  readonly hexadecimal: (bytes: number) => string
}

/**
 * What the gateway draws the names from that agents see: of sessions, approvals, transactions, watches, messages, alerts, snapshots and
 * what was deleted. Keys and tokens are never drawn from it. Default: what nobody can guess.
 */
export class Identifiers extends Context.Reference<Identifiers>()("kruxos/local/Identifiers", {
  defaultValue: (): IdentifiersService => ({
    uuid: () => randomUUID(),
    hexadecimal: (bytes) => randomBytes(bytes).toString("hex")
  })
}) {}

/** The same names in the same order for the same seed, for tests alone: everybody can guess them. */
export const seeded = (seed: number): IdentifiersService => {
  const random = new PCGRandom(seed)
  const hexadecimal = (bytes: number) =>
    Array.from({ length: bytes }, () => random.integer(256).toString(16).padStart(2, "0")).join("")
  return {
    hexadecimal,
    uuid: () => {
      const digits = hexadecimal(16)
      const variant = (8 + random.integer(4)).toString(16)
      return [
        digits.slice(0, 8),
        digits.slice(8, 12),
        `4${digits.slice(13, 16)}`,
        `${variant}${digits.slice(17, 20)}`,
        digits.slice(20)
      ].join("-")
    }
  }
}
