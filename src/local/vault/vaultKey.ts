import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import { hkdfSync, randomBytes } from "node:crypto"
import { join } from "node:path"
import { VaultLocked } from "../../errors/secrets.js"
import { readKeyFile, readOrMakeKeyFile } from "../data/keyFile.js"
import { passphraseKey } from "../data/passphraseKey.js"
import type { SecretsService, VaultRecord } from "../store/Secrets.js"
import { codeOf } from "../workspace/systemFailure.js"
import { seal, unseal } from "./seal.js"
import type { Place } from "./VaultPlace.js"

const context = "kruxos vault 1"

const checked = Buffer.from("kruxos vault")

const locked = (message: string) => new VaultLocked({ message: `The vault is locked: ${message}` })

// A path of the host is nothing for an agent.
const unreadable = (cause: unknown) =>
  locked(`the file with its key cannot be read (${codeOf(cause) ?? "unexpected failure"})`)

const fileKey = (
  { dataDirectory, key }: Place,
  ifMissing: "make" | "fail"
): Effect.Effect<Redacted.Redacted<Uint8Array>, VaultLocked> => {
  const own = join(dataDirectory, "vault.key")
  const read = key !== undefined && "keyFile" in key
    ? readKeyFile(key.keyFile)
    : ifMissing === "make"
    ? readOrMakeKeyFile(own)
    : readKeyFile(own)
  return Effect.flatMap(
    Effect.mapError(read, unreadable),
    (found) =>
      found === undefined
        ? locked("the file with its key holds none: 32 bytes, or 64 hexadecimal characters")
        : Effect.succeed(found)
  )
}

const ofFile = (root: Redacted.Redacted<Uint8Array>, salt: Uint8Array): Redacted.Redacted<Uint8Array> =>
  Redacted.make(new Uint8Array(hkdfSync("sha256", Redacted.value(root), salt, context, 32)))

/** Finds the key of a vault, each time that it is needed; what was made of a passphrase is kept, because it takes long. */
export interface VaultKeys {
  /** The key of the vault; none where it has none yet, because nothing was ever put into it. */
  readonly find: Effect.Effect<Option.Option<Redacted.Redacted<Uint8Array>>, VaultLocked | SqlError>
  /** The key of the vault, which gets one if it has none yet. */
  readonly findOrMake: Effect.Effect<Redacted.Redacted<Uint8Array>, VaultLocked | SqlError>
}

/** The keys of a vault whose secrets these are. */
export const make = (place: Place | undefined, secrets: SecretsService): Effect.Effect<VaultKeys> =>
  Effect.gen(function*() {
    const oneAtATime = (yield* Effect.makeSemaphore(1)).withPermits(1)
    const passphrase = place?.key !== undefined && "passphrase" in place.key ? place.key.passphrase : undefined
    let kept: { readonly salt: string; readonly key: Redacted.Redacted<Uint8Array> } | undefined

    const ofPassphrase = (given: Redacted.Redacted<string>, salt: Uint8Array) =>
      Effect.suspend(() => {
        const name = Buffer.from(salt).toString("hex")
        if (kept?.salt === name) return Effect.succeed(kept.key)
        if (Redacted.value(given) === "") return locked("its passphrase is empty")
        return passphraseKey(given, salt).pipe(
          Effect.mapError(() => locked("its key cannot be made of the passphrase")),
          Effect.map((made) => {
            const key = Redacted.make(made)
            kept = { salt: name, key }
            return key
          })
        )
      }).pipe(oneAtATime)

    const keyOf = (
      { keyKind, salt }: Pick<VaultRecord, "keyKind" | "salt">,
      ifMissing: "make" | "fail"
    ): Effect.Effect<Redacted.Redacted<Uint8Array>, VaultLocked> => {
      if (place === undefined) return locked("this gateway keeps nothing on disk, and has no key")
      if (keyKind === "scrypt") {
        return passphrase === undefined
          ? locked("it was made with a passphrase, and the gateway was given none")
          : ofPassphrase(passphrase, salt)
      }
      return passphrase === undefined
        ? Effect.map(fileKey(place, ifMissing), (root) => ofFile(root, salt))
        : locked("it was made with a key file, and the gateway has a passphrase")
    }

    const open = (record: VaultRecord) =>
      Effect.filterOrFail(
        keyOf(record, "fail"),
        (key) => unseal(Redacted.value(key), context, record.keyCheck) !== undefined,
        () => locked("it was made with another key")
      )

    const settle = Effect.gen(function*() {
      const record = {
        keyKind: passphrase === undefined ? "hkdf-sha256" as const : "scrypt" as const,
        salt: new Uint8Array(randomBytes(16))
      }
      const key = yield* keyOf(record, "make")
      return yield* secrets.settleVault({ ...record, keyCheck: seal(Redacted.value(key), context, checked) })
    })

    const find: VaultKeys["find"] = Effect.flatMap(
      secrets.vault,
      Option.match({ onNone: () => Effect.succeedNone, onSome: (record) => Effect.asSome(open(record)) })
    )

    return {
      find,
      findOrMake: Effect.flatMap(
        find,
        Option.match({ onNone: () => Effect.flatMap(settle, open), onSome: Effect.succeed })
      )
    }
  })
