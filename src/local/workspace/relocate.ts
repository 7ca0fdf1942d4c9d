import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { DestinationExists, type DiskFull, type FileNotFound } from "../../errors/filesystem.js"
import type { Entry } from "./descend.js"
import { fileNotFound } from "./fileContent.js"
import { codeOf, storageFailure, type Subject, type SystemFailure, unusable } from "./systemFailure.js"

/** What became of a move. Everything but `moved` left both places as they were. */
type Relocated =
  | { readonly outcome: "moved"; readonly status: fs.Stats }
  | { readonly outcome: "missing" | "occupied" | "same" | "into-itself" | "directory-in-the-way" | "file-in-the-way" }

const identityOf = (path: string): string => {
  const { dev, ino } = fs.lstatSync(path, { bigint: true })
  return `${dev}:${ino}`
}

/** Whether two entries are one name of one directory. */
export const isSameEntry = (one: Entry, other: Entry): boolean =>
  one.name === other.name && identityOf(one.directory.at(".")) === identityOf(other.directory.at("."))

/** What the system says where a second name cannot be given. */
export const withoutLinks = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]

/** Moves what has no name to take over. A second name and the loss of the first is the move that cannot overwrite. */
const moveToFreeName = (from: string, to: string): void => {
  try {
    fs.linkSync(from, to)
  } catch (cause) {
    if (!withoutLinks.includes(codeOf(cause) ?? "")) throw cause
    return fs.renameSync(from, to)
  }
  try {
    // A file that took the first name meanwhile stays.
    const left = fs.lstatSync(from, { bigint: true, throwIfNoEntry: false })
    if (left !== undefined && `${left.dev}:${left.ino}` === identityOf(to)) fs.unlinkSync(from)
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return
    // The first name may not be taken away, so the second one must not stay.
    fs.unlinkSync(to)
    throw cause
  }
}

// Elsewhere than on Linux, a second name for a symbolic link becomes one for what it leads to.
const canLink = (status: fs.Stats): boolean =>
  status.isFile() || (status.isSymbolicLink() && process.platform === "linux")

// Synchronous, so that nothing of this process comes in between.
const relocate = (from: Entry, to: Entry, overwrite: boolean): Relocated => {
  const source = from.directory.at(from.name)
  const target = to.directory.at(to.name)
  try {
    const status = fs.lstatSync(source, { throwIfNoEntry: false })
    if (status === undefined) return { outcome: "missing" }
    if (isSameEntry(from, to)) return { outcome: "same" }
    const inTheWay = fs.lstatSync(target, { throwIfNoEntry: false })
    if (inTheWay === undefined) {
      if (canLink(status) && !overwrite) moveToFreeName(source, target)
      else fs.renameSync(source, target)
      return { outcome: "moved", status }
    }
    if (!overwrite) return { outcome: "occupied" }
    if (inTheWay.isDirectory()) return { outcome: "directory-in-the-way" }
    if (status.isDirectory()) return { outcome: "file-in-the-way" }
    // A rename between two names of one file does nothing.
    if (identityOf(source) === identityOf(target)) fs.unlinkSync(source)
    else fs.renameSync(source, target)
    return { outcome: "moved", status }
  } catch (cause) {
    switch (codeOf(cause)) {
      case "EEXIST":
      case "ENOTEMPTY":
        return { outcome: "occupied" }
      case "EISDIR":
        return { outcome: "directory-in-the-way" }
      case "EINVAL":
        return { outcome: "into-itself" }
      case "ENOENT":
        return { outcome: "missing" }
      default:
        throw cause
    }
  }
}

/** Something has the name that a file was to get. */
export const destinationExists = ({ path: { display } }: Subject): DestinationExists =>
  new DestinationExists({ message: `Something is at ${display} already`, path: display })

/**
 * Gives what is at one entry the name of another, without opening or following either, and returns what it is. A
 * directory is not overwritten, and overwrites nothing.
 */
export const move = (
  from: Entry,
  source: Subject,
  to: Entry,
  destination: Subject,
  { overwrite }: { readonly overwrite: boolean }
): Effect.Effect<fs.Stats, FileNotFound | DestinationExists | SystemFailure | DiskFull> =>
  Effect.suspend((): Effect.Effect<fs.Stats, FileNotFound | DestinationExists | SystemFailure | DiskFull> => {
    if (from.name === ".") return Effect.fail(unusable(source, "is the workspace itself"))
    try {
      const result = relocate(from, to, overwrite)
      switch (result.outcome) {
        case "moved":
          return Effect.succeed(result.status)
        case "missing":
          return Effect.fail(fileNotFound(source))
        case "occupied":
          return Effect.fail(destinationExists(destination))
        case "same":
          return Effect.fail(unusable(destination, "is the source itself"))
        case "into-itself":
          return Effect.fail(unusable(destination, "is inside the directory that is moved"))
        case "directory-in-the-way":
          return Effect.fail(unusable(destination, "is a directory and is not overwritten"))
        case "file-in-the-way":
          return Effect.fail(unusable(destination, "is not a directory and is not overwritten by one"))
      }
    } catch (cause) {
      return storageFailure(destination)(cause)
    }
  })
