import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { hkdfSync, randomBytes } from "node:crypto"
import { VaultLocked } from "../../errors/secrets.js"
import { backupKeyFile } from "../data/backupKey.js"
import { readKeyFile, readOrMakeKeyFile } from "../data/keyFile.js"
import { passphraseKey, scryptParameters } from "../data/passphraseKey.js"
import { codeOf } from "../workspace/systemFailure.js"
import type { Derivation } from "./backupFormat.js"
import type { Place } from "./BackupPlace.js"

const keyBytes = 32

const context = "kruxos backup 1"

const locked = (message: string, cause?: unknown) =>
  new VaultLocked({ message, ...(cause === undefined ? {} : { cause }) })

// A path of the host is nothing for an agent.
const unreadable = (cause: unknown) =>
  locked(`The file with the key for backups cannot be read (${codeOf(cause) ?? "unexpected failure"})`)

const noKey = () => locked("The file with the key for backups holds none: 32 bytes, or 64 hexadecimal characters")

const slowly = (passphrase: Redacted.Redacted<string>, salt: Uint8Array) =>
  Effect.mapError(passphraseKey(passphrase, salt), (cause) => locked("The key for backups cannot be made", cause))

const rootKey = ({ dataDirectory, key }: Place, ifMissing: "make" | "fail") => {
  if (key !== undefined && "keyFile" in key) return readKeyFile(key.keyFile)
  const path = backupKeyFile(dataDirectory)
  return ifMissing === "make" ? readOrMakeKeyFile(path) : readKeyFile(path)
}

/** How the key of a new file is to be made. */
export const newDerivation = ({ key }: Place): Derivation => {
  const salt = randomBytes(16)
  return key !== undefined && "passphrase" in key
    ? { kind: "scrypt", ...scryptParameters, salt }
    : { kind: "hkdf-sha256", salt }
}

/**
 * The key of a file; undefined where it was made with a key file and the gateway has a passphrase, or the other way around. Where the
 * gateway keeps its key itself it is made if it is missing and `ifMissing` says so. Fails with VaultLocked where there is no key to be
 * had.
 */
export const keyOfFile = (
  place: Place,
  derivation: Derivation,
  { ifMissing }: { readonly ifMissing: "make" | "fail" }
): Effect.Effect<Uint8Array | undefined, VaultLocked> =>
  Effect.gen(function*() {
    const passphrase = place.key !== undefined && "passphrase" in place.key ? place.key.passphrase : undefined
    if (passphrase !== undefined) {
      if (Redacted.value(passphrase) === "") return yield* locked("The passphrase for backups is empty")
      return derivation.kind === "scrypt" ? yield* slowly(passphrase, derivation.salt) : undefined
    }
    const root = yield* Effect.mapError(rootKey(place, ifMissing), unreadable)
    if (root === undefined) return yield* noKey()
    return derivation.kind === "hkdf-sha256"
      ? new Uint8Array(hkdfSync("sha256", Redacted.value(root), derivation.salt, context, keyBytes))
      : undefined
  })
