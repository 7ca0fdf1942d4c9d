import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import { EncodingError } from "../../../errors/filesystem.js"
import { InvalidInput } from "../../../errors/general.js"
import type { WorkspacePath } from "../../workspace/Workspace.js"

/** How a file's bytes become text. `binary` is base64. */
export type Encoding = "utf-8" | "utf-16le" | "latin1" | "ascii" | "binary"

const encodings: ReadonlyMap<string, Encoding> = new Map([
  ["utf-8", "utf-8"],
  ["utf8", "utf-8"],
  ["utf-16le", "utf-16le"],
  ["utf16le", "utf-16le"],
  ["latin1", "latin1"],
  ["iso-8859-1", "latin1"],
  ["ascii", "ascii"],
  ["us-ascii", "ascii"],
  ["binary", "binary"],
  ["base64", "binary"]
])

/** The encoding of a name, in upper or lower case. */
export const encodingOf = (name: string): Effect.Effect<Encoding, InvalidInput> => {
  const encoding = encodings.get(name.toLowerCase())
  return encoding === undefined
    ? Effect.fail(
      new InvalidInput({
        message: `The encoding ${
          JSON.stringify(name.slice(0, 40))
        } is not known: use utf-8, utf-16le, latin1, ascii or binary`,
        field: "encoding",
        reason: "unknown encoding"
      })
    )
    : Effect.succeed(encoding)
}

const notEncodable = (encoding: Encoding, reason: string) =>
  new InvalidInput({ message: `The content cannot be written as ${encoding}: ${reason}`, field: "content", reason })

const fromBase64 = (content: string): Effect.Effect<Uint8Array, InvalidInput> => {
  const digits = content.replace(/[\t\n\r ]+/g, "")
  return digits.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(digits)
    ? Effect.succeed(Buffer.from(digits, "base64"))
    : Effect.fail(notEncodable("binary", "it is not valid base64"))
}

const outside = (content: string, most: number): boolean => {
  for (let index = 0; index < content.length; index++) {
    if (content.charCodeAt(index) > most) return true
  }
  return false
}

/** The bytes of a text. What the encoding has no bytes for is refused, never replaced. */
export const encode = (content: string, encoding: Encoding): Effect.Effect<Uint8Array, InvalidInput> => {
  switch (encoding) {
    case "binary":
      return fromBase64(content)
    case "latin1":
      return outside(content, 0xff)
        ? Effect.fail(notEncodable(encoding, "it has characters that the encoding lacks"))
        : Effect.succeed(Buffer.from(content, "latin1"))
    case "ascii":
      return outside(content, 0x7f)
        ? Effect.fail(notEncodable(encoding, "it has characters that the encoding lacks"))
        : Effect.succeed(Buffer.from(content, "latin1"))
    case "utf-8":
    case "utf-16le":
      return /\p{Surrogate}/u.test(content)
        ? Effect.fail(notEncodable(encoding, "it is not valid Unicode"))
        : Effect.succeed(Buffer.from(content, encoding))
  }
}

/** A part of a file, `start` to `end`, with up to {@link margin} bytes of the file before and after it. */
export interface Window {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** Where `bytes` begins in the file. */
  readonly offset: number
}

/** How many bytes around a window are needed to tell which characters begin in it. */
export const margin = (encoding: Encoding): number => encoding === "utf-8" || encoding === "utf-16le" ? 3 : 0

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

const lengthOf = (lead: number): number => lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1

/** Where the first character at or after an index begins, given that text is being read: bytes of no character stay in. */
const utf8Boundary = (bytes: Uint8Array, index: number): number => {
  if (!isContinuation(bytes[index])) return index
  for (let lead = index - 1; lead >= 0 && lead >= index - 3; lead--) {
    const byte = bytes[lead]
    if (byte === undefined || isContinuation(byte)) continue
    const next = lead + lengthOf(byte)
    return next > index && next <= bytes.length ? next : index
  }
  return index
}

const unitAt = (bytes: Uint8Array, index: number): number => (bytes[index] ?? 0) | ((bytes[index + 1] ?? 0) << 8)

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

const utf16Boundary = (bytes: Uint8Array, offset: number, index: number): number => {
  const aligned = Math.min(index + (offset + index) % 2, bytes.length)
  return aligned >= 2 && aligned + 1 < bytes.length && isHigh(unitAt(bytes, aligned - 2)) &&
      isLow(unitAt(bytes, aligned))
    ? aligned + 2
    : aligned
}

const boundary = (encoding: Encoding, { bytes, offset }: Window, position: number): number => {
  const index = position - offset
  if (index <= 0 || index >= bytes.length) return Math.min(Math.max(index, 0), bytes.length)
  switch (encoding) {
    case "utf-8":
      return utf8Boundary(bytes, index)
    case "utf-16le":
      return utf16Boundary(bytes, offset, index)
    default:
      return index
  }
}

const decodeText = (bytes: Uint8Array, encoding: "utf-8" | "utf-16le"): string | undefined => {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const decodeBytes = (bytes: Uint8Array, encoding: Encoding): string | undefined => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (encoding) {
    case "binary":
      return buffer.toString("base64")
    case "latin1":
      return buffer.toString("latin1")
    case "ascii":
      return bytes.every((byte) => byte <= 0x7f) ? buffer.toString("latin1") : undefined
    case "utf-8":
    case "utf-16le":
      return decodeText(bytes, encoding)
  }
}

/**
 * The text of a window: the characters that begin in it, whole. So windows that follow one another give the file's text,
 * and one that cuts a character is no error; bytes that are no text in the encoding are.
 */
export const decode = (
  path: WorkspacePath,
  window: Window,
  encoding: Encoding
): Effect.Effect<string, EncodingError> => {
  const from = boundary(encoding, window, window.start)
  const text = decodeBytes(window.bytes.subarray(from, boundary(encoding, window, window.end)), encoding)
  return text === undefined
    ? Effect.fail(
      new EncodingError({ message: `${path.display} is no text in ${encoding}`, path: path.display, encoding })
    )
    : Effect.succeed(text)
}
