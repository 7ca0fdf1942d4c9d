import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import { deflateRaw, inflateRaw } from "node:zlib"
import * as Format from "./backupFormat.js"
import type { StateRecord } from "./stateRecords.js"

/** From how many characters on a chunk is full; its last record may be as long as a value. */
const fullChunk = 2 * 1024 * 1024

const compress = (bytes: Uint8Array): Effect.Effect<Uint8Array> =>
  Effect.async<Uint8Array>((resume) => {
    deflateRaw(bytes, (cause, compressed) => resume(cause === null ? Effect.succeed(compressed) : Effect.die(cause)))
  })

/** What was compressed; undefined where it is something else, or larger than a chunk can be. */
export const decompress = (bytes: Uint8Array): Effect.Effect<Uint8Array | undefined> =>
  Effect.async<Uint8Array | undefined>((resume) => {
    inflateRaw(
      bytes,
      { maxOutputLength: Format.longestChunk },
      (cause, plain) => resume(Effect.succeed(cause === null ? plain : undefined))
    )
  })

/** Puts records into the chunks of a file. */
export interface BackupWriter<E, R> {
  readonly add: (records: ReadonlyArray<StateRecord>) => Effect.Effect<void, E, R>
  /** Writes the last chunk. */
  readonly end: Effect.Effect<void, E, R>
}

/** Makes a writer of chunks of JSON arrays, each compressed and encrypted. */
export const make = <E, R>(
  sealing: Format.Sealing,
  append: (bytes: Uint8Array) => Effect.Effect<void, E, R>
): BackupWriter<E, R> => {
  let texts: Array<string> = []
  let characters = 0
  let number = 0

  const flush = (isLast: boolean) =>
    Effect.suspend(() => {
      const plain = Buffer.from(`[${texts.join(",")}]`)
      texts = []
      characters = 0
      return Effect.flatMap(compress(plain), (compressed) => append(Format.seal(sealing, number++, isLast, compressed)))
    })

  const addOne = (record: StateRecord) =>
    Effect.suspend(() => {
      const text = JSON.stringify(record)
      texts.push(text)
      characters += text.length
      return characters < fullChunk ? Effect.void : flush(false)
    })

  return {
    add: (records) => Effect.forEach(records, addOne, { discard: true }),
    end: flush(true)
  }
}
