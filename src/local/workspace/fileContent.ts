import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import { FileNotFound } from "../../errors/filesystem.js"
import { InvalidInput, ResourceExhausted } from "../../errors/general.js"
import { Changed, type Entry, type NotThere } from "./descend.js"
import type { Opened } from "./Directory.js"
import { timeOf } from "./fileStatus.js"
import { codeOf, type Subject, type SystemFailure, systemFailure, unusable } from "./systemFailure.js"
import type { FileContent, ReadRange } from "./Workspace.js"

/** The most bytes that are read or written at once. */
export const maximumContent = 16 * 1024 * 1024

// Who reads a window of a text looks at some bytes around it, too.
const slack = 16

const pieceBytes = 1024 * 1024

/** A regular file that is open. `size` is its length when it was opened. */
export interface OpenFile {
  readonly descriptor: number
  readonly status: fs.Stats
}

/** There is no file at the place that a path leads to. */
export const fileNotFound = ({ path: { display } }: Subject): FileNotFound =>
  new FileNotFound({ message: `There is no file at ${display}`, path: display })

/** Turns a missing directory on the way into a missing file. */
export const missingFile = (subject: Subject) => (_: NotThere): Effect.Effect<never, FileNotFound> =>
  Effect.fail(fileNotFound(subject))

/** Why something that is no regular file is refused. */
export const notAFile = (subject: Subject, type: Exclude<Opened["type"], "file">): InvalidInput | Changed => {
  if (type === "symlink") return new Changed()
  return unusable(
    subject,
    type === "directory" ? "is a directory: list it with filesystem.list" : "is a device, a pipe or a socket"
  )
}

const open = (
  { directory, name }: Entry,
  subject: Subject,
  flags: number
): Effect.Effect<OpenFile, FileNotFound | Changed | SystemFailure> => {
  try {
    const opened = directory.open(name, flags)
    return opened.type === "file" ? Effect.succeed(opened) : Effect.fail(notAFile(subject, opened.type))
  } catch (cause) {
    return codeOf(cause) === "ENOENT" ? Effect.fail(fileNotFound(subject)) : systemFailure(subject)(cause)
  }
}

/** Opens the regular file of an entry while it is used. */
export const withFile = <A, E, R>(
  entry: Entry,
  subject: Subject,
  flags: number,
  use: (file: OpenFile) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | FileNotFound | Changed | SystemFailure, R> =>
  Effect.acquireUseRelease(
    Effect.suspend(() => open(entry, subject, flags)),
    use,
    ({ descriptor }) => Effect.sync(() => fs.closeSync(descriptor))
  )

/**
 * Reads into a buffer; 0 bytes at the end. Not interruptible, because a descriptor that is closed while the operating
 * system works with it can be another file's before the work is done.
 */
const readPiece = (descriptor: number, into: Uint8Array, length: number, position: number) =>
  Effect.uninterruptible(
    Effect.async<number, unknown>((resume) => {
      fs.read(descriptor, into, 0, length, position, (cause, count) =>
        resume(cause === null ? Effect.succeed(count) : Effect.fail(cause)))
    })
  )

/**
 * Gives the bytes of an open file piece by piece, as far as it went when it was opened, and returns how many there were.
 * A piece is good until the next one.
 */
export const pieces = <E, R>(
  { descriptor, status }: OpenFile,
  subject: Subject,
  take: (piece: Uint8Array, position: number) => Effect.Effect<void, E, R>
): Effect.Effect<number, E | SystemFailure, R> =>
  Effect.gen(function*() {
    const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, status.size))
    let position = 0
    while (position < status.size) {
      const length = Math.min(buffer.length, status.size - position)
      const count = yield* Effect.catchAll(readPiece(descriptor, buffer, length, position), systemFailure(subject))
      if (count === 0) break
      yield* take(buffer.subarray(0, count), position)
      position += count
    }
    return position
  })

/**
 * Appends all bytes to an open file, or fails with the system's error; `onWritten` is told how many of them are written so far. Not
 * interruptible, as {@link readPiece} is not.
 */
export const writeAll = (
  descriptor: number,
  bytes: Uint8Array,
  onWritten: (count: number) => void = () => {}
): Effect.Effect<void, unknown> =>
  Effect.uninterruptible(
    Effect.async<void, unknown>((resume) => {
      const from = (offset: number): void => {
        onWritten(offset)
        if (offset === bytes.length) return resume(Effect.void)
        fs.write(descriptor, bytes, offset, bytes.length - offset, null, (cause, count) =>
          cause === null ? from(offset + count) : resume(Effect.fail(cause)))
      }
      from(0)
    })
  )

/** Waits until the file's bytes are on the disk. */
export const synchronise = (descriptor: number): Effect.Effect<void, unknown> =>
  Effect.uninterruptible(
    Effect.async<void, unknown>((resume) => {
      fs.fsync(descriptor, (cause) => resume(cause === null ? Effect.void : Effect.fail(cause)))
    })
  )

const tooMuch = ({ path: { display } }: Subject, current: number) =>
  new ResourceExhausted({
    message: `${current} bytes of ${display} are more than can be read at once: read parts with offset and limit`,
    resource: "content",
    limit: maximumContent,
    current
  })

/** Refuses content that is too long to be written at once. */
export const checkLength = (bytes: Uint8Array): Effect.Effect<void, InvalidInput> =>
  bytes.length <= maximumContent
    ? Effect.void
    : Effect.fail(
      new InvalidInput({
        message: `The content has ${bytes.length} bytes; at most ${maximumContent} can be written at once`,
        field: "content",
        reason: "too long"
      })
    )

// What all reads together hold in memory at a time; small ones are not counted.
const heldBytes = 4 * maximumContent
const smallBytes = 64 * 1024
const held = Effect.unsafeMakeSemaphore(heldBytes)

/** Reads a part of an open file, and the digest of the whole; at most 64 MiB are read at a time, further reads wait. */
export const readPart = (
  file: OpenFile,
  subject: Subject,
  range: ReadRange
): Effect.Effect<FileContent, ResourceExhausted | SystemFailure> => {
  const { limit = Infinity, offset = 0 } = range
  if (range.atOnce === true && file.status.size <= smallBytes) return readAtOnce(file, subject, range)
  const length = Math.min(limit, Math.max(0, file.status.size - offset))
  const reading = readNow(file, subject, range)
  return length <= smallBytes ? reading : held.withPermits(Math.min(length, heldBytes))(reading)
}

// Not in every version of Node.
const hashAtOnce: { readonly hash?: typeof crypto.hash } = crypto

const digestOf = (bytes: Uint8Array): string =>
  hashAtOnce.hash?.("sha256", bytes) ?? crypto.createHash("sha256").update(bytes).digest("hex")

// A thread of the pool, and a fiber that goes on afterwards, take several times longer than a small file itself.
const readAtOnce = (
  { descriptor, status }: OpenFile,
  subject: Subject,
  { limit = Infinity, offset = 0 }: ReadRange
): Effect.Effect<FileContent, SystemFailure> => {
  const whole = Buffer.allocUnsafe(status.size)
  let size = 0
  try {
    while (size < whole.length) {
      const count = fs.readSync(descriptor, whole, size, whole.length - size, size)
      if (count === 0) break
      size += count
    }
  } catch (cause) {
    return systemFailure(subject)(cause)
  }
  const bytes = whole.subarray(0, size)
  return Effect.succeed({
    bytes: bytes.subarray(offset, offset + limit),
    size,
    modified: timeOf(status.mtimeMs),
    checksum: digestOf(bytes)
  })
}

const readNow = (
  file: OpenFile,
  subject: Subject,
  { limit = Infinity, offset = 0 }: ReadRange
): Effect.Effect<FileContent, ResourceExhausted | SystemFailure> =>
  Effect.gen(function*() {
    const start = Math.min(offset, file.status.size)
    const length = Math.min(limit, file.status.size - start)
    if (length > maximumContent + slack) return yield* tooMuch(subject, length)
    const hash = crypto.createHash("sha256")
    const part = Buffer.alloc(length)
    const size = yield* pieces(file, subject, (piece, position) =>
      Effect.sync(() => {
        hash.update(piece)
        const from = Math.max(start, position)
        const to = Math.min(start + length, position + piece.length)
        if (from < to) part.set(piece.subarray(from - position, to - position), from - start)
      }))
    return {
      bytes: part.subarray(0, Math.max(0, Math.min(length, size - start))),
      size,
      modified: timeOf(file.status.mtimeMs),
      checksum: hash.digest("hex")
    }
  })
