import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import { DateTimeUtc } from "../../schema/primitives.js"

/*
 * A backup file: eight bytes that say what it is, the length of the header (four bytes, the highest first), the header in JSON, and
 * then chunks: the length of each (four bytes), what is encrypted, and its tag. All that comes before the first chunk is authenticated
 * with each of them; the nonce of a chunk has its number, and whether it is the last.
 */

const magic = Buffer.from("KRXBKUP1", "latin1")

const tagBytes = 16

const lengthBytes = 4

/** The bytes in front of the header. */
export const prefixBytes = magic.length + lengthBytes

const longestHeader = 4096

/** How many bytes a chunk can have before it is compressed. */
export const longestChunk = 16 * 1024 * 1024

// What cannot be compressed grows by a few bytes in ten thousand.
const longestSealed = longestChunk + 64 * 1024

/** How the key of a file is made of the gateway's: slowly of a passphrase, by one hash of a key that is random. */
export const Derivation = Schema.Union(
  Schema.Struct({
    kind: Schema.Literal("scrypt"),
    n: Schema.Literal(131_072),
    r: Schema.Literal(8),
    p: Schema.Literal(1),
    salt: Schema.Uint8ArrayFromHex
  }),
  Schema.Struct({ kind: Schema.Literal("hkdf-sha256"), salt: Schema.Uint8ArrayFromHex })
)
export type Derivation = typeof Derivation.Type

/** What anybody can read of a backup. `scope` is `full`, or `agent:` and a name. */
export const Header = Schema.Struct({
  id: Schema.String,
  scope: Schema.String,
  created_at: DateTimeUtc,
  cipher: Schema.Literal("aes-256-gcm"),
  compression: Schema.Literal("deflate"),
  key: Derivation,
  nonce: Schema.Uint8ArrayFromHex.pipe(Schema.filter(({ length }) => length === 7))
})
export interface Header extends Schema.Schema.Type<typeof Header> {}

const HeaderText = Schema.parseJson(Header)

const encodeHeader = Schema.encodeSync(HeaderText)

const decodeHeader = Schema.decodeEither(HeaderText)

/** The random part of the nonces of a file. */
export const newNonce = (): Uint8Array => randomBytes(7)

const lengthOf = (length: number): Buffer => {
  const bytes = Buffer.alloc(lengthBytes)
  bytes.writeUInt32BE(length)
  return bytes
}

/** The beginning of a file, up to its first chunk. */
export const headOf = (header: Header): Uint8Array => {
  const text = Buffer.from(encodeHeader(header))
  return Buffer.concat([magic, lengthOf(text.length), text])
}

/** The length of the header, from the bytes in front of it; undefined where this is no backup, or another version of one. */
export const headerLength = (prefix: Uint8Array): number | undefined => {
  const bytes = Buffer.from(prefix)
  if (bytes.length !== prefixBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined
  const length = bytes.readUInt32BE(magic.length)
  return length <= longestHeader ? length : undefined
}

/** The header; undefined where it is none. */
export const parseHeader = (bytes: Uint8Array): Header | undefined =>
  Either.getOrUndefined(decodeHeader(Buffer.from(bytes).toString()))

/** How many bytes of a file come before a chunk itself. */
export const chunkPrefixBytes = lengthBytes

/** The length of a chunk with its tag; undefined where it cannot be one. */
export const chunkLength = (prefix: Uint8Array): number | undefined => {
  const length = Buffer.from(prefix).readUInt32BE()
  return length >= tagBytes && length <= longestSealed ? length : undefined
}

/** What encrypts, or decrypts, the chunks of a file. */
export interface Sealing {
  readonly key: Uint8Array
  readonly nonce: Uint8Array
  /** The file up to its first chunk. */
  readonly head: Uint8Array
}

const nonceOf = ({ nonce }: Sealing, number: number, isLast: boolean) =>
  Buffer.concat([nonce, lengthOf(number), Buffer.of(isLast ? 1 : 0)])

/** A chunk as it stands in the file, from its number (0, 1, 2 …). */
export const seal = (sealing: Sealing, number: number, isLast: boolean, plain: Uint8Array): Uint8Array => {
  const cipher = createCipheriv("aes-256-gcm", sealing.key, nonceOf(sealing, number, isLast))
  cipher.setAAD(sealing.head)
  const sealed = [cipher.update(plain), cipher.final(), cipher.getAuthTag()]
  return Buffer.concat([lengthOf(sealed.reduce((sum, { length }) => sum + length, 0)), ...sealed])
}

/** What a chunk holds; undefined where it is not the chunk of this number of this file, made with this key. */
export const unseal = (
  sealing: Sealing,
  number: number,
  isLast: boolean,
  sealed: Uint8Array
): Uint8Array | undefined => {
  const decipher = createDecipheriv("aes-256-gcm", sealing.key, nonceOf(sealing, number, isLast), {
    authTagLength: tagBytes
  })
  decipher.setAAD(sealing.head)
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  const plain = decipher.update(sealed.subarray(0, sealed.length - tagBytes))
  try {
    return Buffer.concat([plain, decipher.final()])
  } catch {
    return undefined
  }
}
