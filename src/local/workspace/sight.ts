import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import type { ResourceExhausted } from "../../errors/general.js"
import { Changed, type Entry } from "./descend.js"
import { maximumContent, readPart, withFile } from "./fileContent.js"
import type { Seen } from "./KeptFiles.js"
import { codeOf, type Subject, type SystemFailure, systemFailure } from "./systemFailure.js"
import type { FileContent } from "./Workspace.js"

const statusOf = (path: string): fs.BigIntStats | undefined =>
  fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })

const stampOf = ({ ctimeNs, dev, ino, mtimeNs, size }: fs.BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(":")

/** A time of the file system as {@link Seen.modified} has it. */
export const microseconds = (nanoseconds: bigint): number => Number(nanoseconds / 1000n)

/** The same as `node:fs` takes it: in the middle of the microsecond, so that no rounding makes it another one. */
export const asSeconds = (modified: number): number => (modified + 0.5) / 1_000_000

const seenOf = (status: fs.BigIntStats): Seen => ({
  type: status.isFile() ? "file" : status.isDirectory() ? "directory" : status.isSymbolicLink() ? "symlink" : "other",
  size: Number(status.size),
  mode: Number(status.mode & 0o7777n),
  modified: microseconds(status.mtimeNs),
  inode: String(status.ino),
  links: Number(status.nlink),
  stamp: stampOf(status)
})

/** Whether at a path still is what was seen there, or nothing if nothing was. It throws the system's errors. */
export const isStill = (path: string, seen: Option.Option<Seen>): boolean => {
  const now = statusOf(path)
  return now === undefined ? Option.isNone(seen) : Option.isSome(seen) && seen.value.stamp === stampOf(now)
}

const digestOfFile = (entry: Entry, subject: Subject, seen: Seen) =>
  withFile(
    entry,
    subject,
    fs.constants.O_RDONLY,
    (file) =>
      Effect.suspend((): Effect.Effect<FileContent, Changed | ResourceExhausted | SystemFailure> => {
        // Another one has the name by now.
        if (stampOf(fs.fstatSync(file.descriptor, { bigint: true })) !== seen.stamp) return Effect.fail(new Changed())
        return readPart(file, subject, { limit: 0, atOnce: true })
      })
  ).pipe(
    Effect.map(({ checksum }): Seen => ({ ...seen, sha256: checksum })),
    Effect.filterOrFail(() => isStill(entry.directory.at(entry.name), Option.some(seen)), () => new Changed()),
    Effect.catchTags({
      FileNotFound: () => Effect.fail(new Changed()),
      InvalidInput: () => Effect.fail(new Changed()),
      PermissionDenied: () => Effect.succeed(seen)
    })
  )

const digestOfLink = (path: string): string => createHash("sha256").update(fs.readlinkSync(path)).digest("hex")

/** Looks at an entry that is held. `digest`: whether that of its bytes is wanted. */
export const lookAt = (
  entry: Entry,
  subject: Subject,
  { digest }: { readonly digest: boolean } = { digest: true }
): Effect.Effect<Option.Option<Seen>, Changed | SystemFailure> =>
  Effect.suspend((): Effect.Effect<Option.Option<Seen>, Changed | SystemFailure> => {
    try {
      const path = entry.directory.at(entry.name)
      const status = statusOf(path)
      if (status === undefined) return Effect.succeedNone
      const seen = seenOf(status)
      if (!digest) return Effect.succeedSome(seen)
      if (seen.type === "symlink") return Effect.succeedSome({ ...seen, sha256: digestOfLink(path) })
      return seen.type === "file" && seen.size <= maximumContent
        ? Effect.asSome(digestOfFile(entry, subject, seen))
        : Effect.succeedSome(seen)
    } catch (cause) {
      return codeOf(cause) === "ENOENT" || codeOf(cause) === "EINVAL"
        ? Effect.fail(new Changed())
        : systemFailure(subject)(cause)
    }
  })
