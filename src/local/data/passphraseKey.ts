import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { scrypt } from "node:crypto"

/** How a key is made of a passphrase. */
export const scryptParameters = { n: 131_072, r: 8, p: 1 } as const

// As much as the parameters take, and a little more.
const memory = 256 * 1024 * 1024

/** A key of 32 bytes, slowly made of a passphrase: it takes 128 MiB and some tenths of a second, in another thread. */
export const passphraseKey = (
  passphrase: Redacted.Redacted<string>,
  salt: Uint8Array
): Effect.Effect<Uint8Array, Error> =>
  Effect.async<Uint8Array, Error>((resume) => {
    const { n, p, r } = scryptParameters
    scrypt(
      Redacted.value(passphrase),
      salt,
      32,
      { N: n, r, p, maxmem: memory },
      (cause, key) => resume(cause === null ? Effect.succeed(key) : Effect.fail(cause))
    )
  })
