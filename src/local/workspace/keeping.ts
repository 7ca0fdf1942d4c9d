import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import type { DiskFull } from "../../errors/filesystem.js"
import { Changed, type Entry, type Root, withEntry } from "./descend.js"
import type { Directory } from "./Directory.js"
import { type OpenFile, pieces, synchronise, withFile, writeAll } from "./fileContent.js"
import type { KeptFiles } from "./KeptFiles.js"
import { withoutLinks } from "./relocate.js"
import { asSeconds, isStill, lookAt, microseconds } from "./sight.js"
import { codeOf, storageFailure, type Subject, type SystemFailure } from "./systemFailure.js"
import { withTrash } from "./trashFolder.js"

const { COPYFILE_EXCL, COPYFILE_FICLONE, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = fs.constants

/** Runs what throws the system's errors. */
export const attempt = <A>(subject: Subject, evaluate: () => A): Effect.Effect<A, SystemFailure | DiskFull> =>
  Effect.catchAll(Effect.try({ try: evaluate, catch: (cause) => cause }), storageFailure(subject))

const clone = (descriptor: number, to: string): Effect.Effect<void, unknown> =>
  Effect.async<void, unknown>((resume) => {
    fs.copyFile(
      `/proc/self/fd/${descriptor}`,
      to,
      COPYFILE_EXCL | COPYFILE_FICLONE,
      (cause) => resume(cause === null ? Effect.void : Effect.fail(cause))
    )
  })

const copyBytes = (file: OpenFile, subject: Subject, to: string) =>
  process.platform === "linux"
    // Which costs nothing on file systems that share blocks.
    ? Effect.catchAll(clone(file.descriptor, to), storageFailure(subject))
    : Effect.acquireUseRelease(
      attempt(subject, () => fs.openSync(to, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)),
      (descriptor) =>
        pieces(file, subject, (piece) => Effect.catchAll(writeAll(descriptor, piece), storageFailure(subject))),
      (descriptor) => Effect.sync(() => fs.closeSync(descriptor))
    )

const adopt = (descriptor: number, { gid, mode, mtimeNs, uid }: fs.BigIntStats): void => {
  try {
    fs.fchownSync(descriptor, Number(uid), Number(gid))
  } catch {
    // Only a privileged gateway can give files away.
  }
  fs.fchmodSync(descriptor, Number(mode & 0o777n))
  const time = asSeconds(microseconds(mtimeNs))
  fs.futimesSync(descriptor, time, time)
}

/** Deletes a file, unless there is none. It throws the system's errors. */
export const removeIfThere = (path: string): void => {
  try {
    fs.unlinkSync(path)
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause
  }
}

/** Copies an open file to a new name, with its mode and time; a part of one does not stay. */
export const copyTo = (
  file: OpenFile,
  subject: Subject,
  directory: Directory,
  name: string,
  durable: boolean
): Effect.Effect<void, SystemFailure | DiskFull> => {
  const to = directory.at(name)
  const finish = Effect.acquireUseRelease(
    attempt(subject, () => {
      const opened = directory.open(name, O_RDONLY)
      if (opened.type !== "file") throw new Error("a file that was made is none")
      return opened.descriptor
    }),
    (descriptor) =>
      Effect.zipRight(
        attempt(subject, () => adopt(descriptor, fs.fstatSync(file.descriptor, { bigint: true }))),
        durable ? Effect.catchAll(synchronise(descriptor), storageFailure(subject)) : Effect.void
      ),
    (descriptor) => Effect.sync(() => fs.closeSync(descriptor))
  )
  return Effect.zipRight(copyBytes(file, subject, to), finish).pipe(
    Effect.onError(() => Effect.sync(() => removeIfThere(to))),
    Effect.uninterruptible
  )
}

/** Whether a second name could be given. */
const link = (from: string, to: string): boolean => {
  try {
    fs.linkSync(from, to)
    return true
  } catch (cause) {
    if (![...withoutLinks, "EXDEV"].includes(codeOf(cause) ?? "")) throw cause
    return false
  }
}

const keepLink = (from: string, to: string): void => {
  if (process.platform !== "linux" || !link(from, to)) fs.symlinkSync(fs.readlinkSync(from), to)
}

const keepEntry = (
  entry: Entry,
  subject: Subject,
  trash: Directory,
  name: string,
  { copy, durable }: { readonly copy: boolean; readonly durable: boolean }
): Effect.Effect<boolean, Changed | SystemFailure | DiskFull> =>
  Effect.gen(function*() {
    const seen = yield* lookAt(entry, subject)
    if (Option.isNone(seen) || (seen.value.type !== "file" && seen.value.type !== "symlink")) return false
    const from = entry.directory.at(entry.name)
    const to = trash.at(name)
    if (seen.value.type === "symlink") {
      yield* attempt(subject, () => keepLink(from, to))
      return true
    }
    const isLinked = yield* attempt(subject, () => {
      if (!isStill(from, seen)) return undefined
      return !copy && seen.value.links === 1 && link(from, to)
    })
    if (isLinked === undefined) return yield* new Changed()
    if (!isLinked) {
      yield* withFile(entry, subject, O_RDONLY, (file) => copyTo(file, subject, trash, name, durable)).pipe(
        Effect.catchTag("FileNotFound", () => Effect.fail(new Changed()))
      )
      // Somebody wrote to it meanwhile: what is kept may be neither the one nor the other.
      if (!isStill(from, seen)) {
        removeIfThere(to)
        return yield* new Changed()
      }
    }
    return true
  })

export const keep = (root: Root): KeptFiles["keep"] => (path, name, options) => {
  const subject: Subject = { path, operation: "keep", field: "path" }
  return withTrash(
    root,
    "keep",
    (trash) => withEntry(root, subject, { last: "itself" }, (entry) => keepEntry(entry, subject, trash, name, options))
  ).pipe(
    Effect.catchTag("NotThere", () => Effect.succeed(false)),
    Effect.uninterruptible
  )
}
