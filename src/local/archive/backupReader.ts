import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import { DecryptionFailed } from "../../errors/state.js"
import { letOthersRun } from "../letOthersRun.js"
import type { BackupFailed } from "./BackupFailed.js"
import type { OpenBackup } from "./backupFiles.js"
import * as Format from "./backupFormat.js"
import { decompress } from "./backupWriter.js"
import { StateRecord } from "./stateRecords.js"

const decodeRecords = Schema.decode(Schema.parseJson(Schema.Array(StateRecord)))

/** The backup cannot be decrypted with the gateway's key; `why` goes on after that. */
export const decryptionFailed = (backupId: string, why: string): DecryptionFailed =>
  new DecryptionFailed({ message: `Backup ${backupId} cannot be decrypted: ${why}`, backupId })

const damaged = ({ id }: OpenBackup) => decryptionFailed(id, "it was made with another key, or is damaged")

const sealingOf = ({ head, header }: OpenBackup, key: Uint8Array): Format.Sealing => ({
  key,
  nonce: header.nonce,
  head
})

/** Gives what each chunk holds, one after the other, when it is known to be genuine. */
const chunks = <E, R>(
  backup: OpenBackup,
  key: Uint8Array,
  take: (compressed: Uint8Array) => Effect.Effect<void, E, R>
): Effect.Effect<void, E | BackupFailed | DecryptionFailed, R> =>
  Effect.gen(function*() {
    const sealing = sealingOf(backup, key)
    let position = backup.head.length
    for (let number = 0; position < backup.size || number === 0; number++) {
      const prefix = yield* backup.read(position, Format.chunkPrefixBytes)
      const length = prefix.length < Format.chunkPrefixBytes ? undefined : Format.chunkLength(prefix)
      if (length === undefined) return yield* damaged(backup)
      const sealed = yield* backup.read(position + Format.chunkPrefixBytes, length)
      if (sealed.length < length) return yield* damaged(backup)
      position += Format.chunkPrefixBytes + length
      const compressed = Format.unseal(sealing, number, position === backup.size, sealed)
      if (compressed === undefined) return yield* damaged(backup)
      yield* take(compressed)
      yield* letOthersRun
    }
  })

/** Whether a backup is whole and was made with the key. */
export const verify = (
  backup: OpenBackup,
  key: Uint8Array
): Effect.Effect<void, BackupFailed | DecryptionFailed> => chunks(backup, key, () => Effect.void)

/** Gives what a backup holds, in order. */
export const records = <E, R>(
  backup: OpenBackup,
  key: Uint8Array,
  take: (records: ReadonlyArray<StateRecord>) => Effect.Effect<void, E, R>
): Effect.Effect<void, E | BackupFailed | DecryptionFailed, R> =>
  chunks(backup, key, (compressed) =>
    Effect.gen(function*() {
      const plain = yield* decompress(compressed)
      if (plain === undefined) return yield* damaged(backup)
      const found = yield* Effect.mapError(decodeRecords(Buffer.from(plain).toString()), () => damaged(backup))
      yield* take(found)
    }))
