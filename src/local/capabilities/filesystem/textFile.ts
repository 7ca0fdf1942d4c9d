import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { FileNotFound } from "../../../errors/filesystem.js"
import type { PathFailure, Workspace, WorkspacePath } from "../../workspace/Workspace.js"

/** Files beyond this many bytes are not searched and not edited. */
export const maximumTextBytes = 2 * 1024 * 1024

const bytesLookedAt = 8 * 1024

/** Why a file is no text to work on. */
export type NotText = "binary" | "too large"

/** A text file's bytes, and the digest of the file they come from. */
export interface TextBytes {
  readonly bytes: Uint8Array
  readonly checksum: string
}

const isBinary = (bytes: Uint8Array): boolean => bytes.subarray(0, bytesLookedAt).includes(0)

/** Reads a file unless it is larger than 2 MiB or has a NUL byte in its first 8 KiB. */
export const readTextBytes = (
  workspace: Workspace,
  path: WorkspacePath
): Effect.Effect<Either.Either<TextBytes, NotText>, PathFailure | FileNotFound> =>
  Effect.map(workspace.read(path, { limit: maximumTextBytes }), ({ bytes, checksum, size }) =>
    size > maximumTextBytes
      ? Either.left("too large")
      : isBinary(bytes)
      ? Either.left("binary")
      : Either.right({ bytes, checksum }))

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder("utf-8")

/** The text of bytes; what is not UTF-8 becomes U+FFFD, and a byte order mark goes. */
export const decodeLeniently = (bytes: Uint8Array): string => lenient.decode(bytes)

const byteOrderMark = "\ufeff"

/** A text that can be written back as it was. */
export interface ExactText {
  readonly text: string
  readonly hasByteOrderMark: boolean
}

/** The text of bytes; none where they are not valid UTF-8. */
export const decodeExactly = (bytes: Uint8Array): Either.Either<ExactText, NotText> =>
  Either.try({ try: () => strict.decode(bytes), catch: (): NotText => "binary" }).pipe(
    Either.map((text) => {
      const hasByteOrderMark = text.startsWith(byteOrderMark)
      return { text: hasByteOrderMark ? text.slice(1) : text, hasByteOrderMark }
    })
  )

const encoder = new TextEncoder()

/** The bytes of a text, with the byte order mark that it had. */
export const encodeExactly = ({ hasByteOrderMark, text }: ExactText): Uint8Array =>
  encoder.encode(hasByteOrderMark ? byteOrderMark + text : text)
