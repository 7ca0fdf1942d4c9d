import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import type { DiskFull } from "../../errors/filesystem.js"
import { Changed, type Entry } from "./descend.js"
import { notAFile, synchronise, writeAll } from "./fileContent.js"
import { codeOf, storageFailure, type Subject, type SystemFailure, unusable } from "./systemFailure.js"

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants

/** Something is there already. */
export class Occupied extends Data.TaggedError("Occupied")<{}> {}

export interface Published {
  readonly size: number
  readonly checksum: string
}

/** Whether a name is one that a file has while it is being written. */
export const isTemporaryName = (name: string): boolean => /^\.kruxos-[0-9a-f]{24}\.tmp$/.test(name)

/** A name that a file has while it is being written. */
export const temporaryName = () => `.kruxos-${randomBytes(12).toString("hex")}.tmp`

/** What an overwritten file had and its successor keeps. */
interface Kept {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** The file that is to be replaced, which the gateway must be allowed to write to; none where there is nothing. */
const existing = (
  { directory, name }: Entry,
  subject: Subject
): Effect.Effect<Kept | undefined, Changed | SystemFailure | DiskFull> =>
  Effect.suspend((): Effect.Effect<Kept | undefined, Changed | SystemFailure | DiskFull> => {
    try {
      const opened = directory.open(name, O_WRONLY)
      if (opened.type !== "file") return Effect.fail(notAFile(subject, opened.type))
      try {
        return Effect.succeed(fs.fstatSync(opened.descriptor))
      } finally {
        fs.closeSync(opened.descriptor)
      }
    } catch (cause) {
      return codeOf(cause) === "ENOENT" ? Effect.succeed(undefined) : storageFailure(subject)(cause)
    }
  })

const directoryLost = (subject: Subject) => unusable(subject, "lost its directory while it was written")

interface Temporary {
  readonly path: string
  readonly descriptor: number
}

const create = (
  { directory }: Entry,
  subject: Subject,
  kept: Kept | undefined,
  mode: number
): Effect.Effect<Temporary, SystemFailure | DiskFull> =>
  Effect.suspend((): Effect.Effect<Temporary, SystemFailure | DiskFull> => {
    try {
      const path = directory.at(temporaryName())
      // Nobody gets to see more of the new content than of the old: the mode is given before the content is.
      const descriptor = fs.openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, kept === undefined ? mode : 0o600)
      if (kept !== undefined) adopt(descriptor, kept)
      return Effect.succeed({ path, descriptor })
    } catch (cause) {
      return codeOf(cause) === "ENOENT"
        ? Effect.fail(directoryLost(subject))
        : storageFailure(subject)(cause)
    }
  })

const adopt = (descriptor: number, { gid, mode, uid }: Kept): void => {
  try {
    fs.fchownSync(descriptor, uid, gid)
  } catch {
    // Only a privileged gateway can give files away; without, they are the gateway's own, as with any editor.
  }
  fs.fchmodSync(descriptor, mode & 0o777)
}

/** Gives a file a second name, unless the name is in use. Some file systems know of no second names. */
const linkOrReserve = (from: string, to: string): void => {
  try {
    fs.linkSync(from, to)
  } catch (cause) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(codeOf(cause) ?? "")) throw cause
    fs.closeSync(fs.openSync(to, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW))
    fs.renameSync(from, to)
  }
}

const remove = (path: string): void => {
  try {
    fs.unlinkSync(path)
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause
  }
}

/**
 * Makes a file in one step: what `fill` appends goes to a temporary file next to it, which takes the name when it is
 * complete and on the disk. Whatever happens before leaves everything as it was. `place` says what to do with a file that
 * has the name: `"replace"` it, keeping its mode, or `"create"`, which fails with Occupied. `mode` is a new file's, less
 * the process's umask.
 */
export const publish = <E, R>(
  entry: Entry,
  subject: Subject,
  { mode = 0o666, place }: { readonly place: "replace" | "create"; readonly mode?: number },
  fill: (append: (bytes: Uint8Array) => Effect.Effect<void, SystemFailure | DiskFull>) => Effect.Effect<void, E, R>
): Effect.Effect<Published, E | Occupied | Changed | SystemFailure | DiskFull, R> => {
  const target = entry.directory.at(entry.name)
  const put = (temporary: string) =>
    Effect.try({
      try: () => place === "replace" ? fs.renameSync(temporary, target) : linkOrReserve(temporary, target),
      catch: (cause) => cause
    }).pipe(
      Effect.catchAll((cause): Effect.Effect<never, Occupied | Changed | SystemFailure | DiskFull> =>
        codeOf(cause) === "EEXIST"
          ? Effect.fail(new Occupied())
          : codeOf(cause) === "EISDIR"
          ? Effect.fail(new Changed())
          : codeOf(cause) === "ENOENT"
          ? Effect.fail(directoryLost(subject))
          : storageFailure(subject)(cause)
      )
    )
  return Effect.gen(function*() {
    if (entry.name === ".") return yield* notAFile(subject, "directory")
    if (place === "create" && fs.lstatSync(target, { throwIfNoEntry: false }) !== undefined) {
      return yield* new Occupied()
    }
    const kept = place === "replace" ? yield* existing(entry, subject) : undefined
    return yield* Effect.acquireUseRelease(
      create(entry, subject, kept, mode),
      ({ descriptor, path }) =>
        Effect.gen(function*() {
          const hash = createHash("sha256")
          let size = 0
          yield* fill((bytes) =>
            Effect.map(Effect.catchAll(writeAll(descriptor, bytes), storageFailure(subject)), () => {
              hash.update(bytes)
              size += bytes.length
            })
          )
          yield* Effect.catchAll(synchronise(descriptor), storageFailure(subject))
          yield* put(path)
          return { size, checksum: hash.digest("hex") }
        }),
      ({ descriptor, path }) =>
        Effect.sync(() => {
          fs.closeSync(descriptor)
          remove(path)
        })
    )
  })
}
