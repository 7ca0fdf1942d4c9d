import * as fs from "node:fs"
import { dirname } from "node:path"

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = fs.constants

// Linux's flag to hold a place in the file system without opening it; Node does not name it.
const O_PATH = 0o10000000

/** A regular file that was opened, or what else is there, which was not. */
export type Opened =
  | { readonly type: "file"; readonly descriptor: number; readonly status: fs.Stats }
  | { readonly type: "directory" | "symlink" | "other" }

/**
 * A directory that is held while something is done in it. Its functions throw the errors of `node:fs`, and take a single
 * name: never a path, `.` only where said.
 */
export interface Directory {
  /** A path to the name in this directory, or to the directory itself (`.`), for a call that follows no link. */
  readonly at: (name: string) => string
  /** Holds a directory in this one. A symbolic link is `ENOTDIR`. */
  readonly child: (name: string) => Directory
  /** Opens a regular file. Follows no link, and opens neither device nor pipe nor socket, so that it cannot hang. */
  readonly open: (name: string, flags: number) => Opened
  readonly close: () => void
}

const typeOf = (status: fs.Stats): Exclude<Opened["type"], "file"> =>
  status.isDirectory() ? "directory" : status.isSymbolicLink() ? "symlink" : "other"

const pinned = (descriptor: number): Directory => {
  let open = true
  const at = (name: string) => {
    // The number may be somebody else's by now.
    if (!open) throw new Error("the directory was let go of")
    return `/proc/self/fd/${descriptor}/${name}`
  }
  return {
    at,
    child: (name) => pinned(fs.openSync(at(name), O_PATH | O_DIRECTORY | O_NOFOLLOW)),
    open: (name, flags) => {
      const place = fs.openSync(at(name), O_PATH | O_NOFOLLOW)
      try {
        const status = fs.fstatSync(place)
        return status.isFile()
          ? { type: "file", descriptor: fs.openSync(`/proc/self/fd/${place}`, flags | O_NONBLOCK), status }
          : { type: typeOf(status) }
      } finally {
        fs.closeSync(place)
      }
    },
    close: () => {
      if (!open) return
      open = false
      fs.closeSync(descriptor)
    }
  }
}

const notADirectory = () => Object.assign(new Error("not a directory"), { code: "ENOTDIR" })

const named = (path: string): Directory => {
  const at = (name: string) => `${path === "/" ? "" : path}/${name}`
  return {
    at,
    child: (name) => {
      if (!fs.lstatSync(at(name)).isDirectory()) throw notADirectory()
      const real = fs.realpathSync.native(at(name))
      if (dirname(real) !== path) throw notADirectory()
      return named(real)
    },
    open: (name, flags) => {
      const before = fs.lstatSync(at(name))
      if (!before.isFile()) return { type: typeOf(before) }
      const descriptor = fs.openSync(at(name), flags | O_NOFOLLOW | O_NONBLOCK)
      const status = fs.fstatSync(descriptor)
      if (status.isFile()) return { type: "file", descriptor, status }
      fs.closeSync(descriptor)
      return { type: "other" }
    },
    close: () => {}
  }
}

/**
 * How directories are held.
 *
 * - `descriptors`: by open descriptors (Linux). What is held stays the same whatever is renamed or linked meanwhile.
 * - `paths`: by their real paths, checked before each use. The weaker guard, for systems where a descriptor is no place to
 *   start from (macOS): somebody who can rename directories of the workspace at the right moment gets between check and use.
 */
export type Holding = "descriptors" | "paths"

const hasDescriptorPaths = (): boolean => process.platform === "linux" && fs.existsSync("/proc/self/fd")

/** The strongest way that this system has. */
export const strongestHolding = (): Holding => hasDescriptorPaths() ? "descriptors" : "paths"

/** Holds the directory at a real path of the host. */
export const hold = (realPath: string, holding: Holding): Directory =>
  holding === "descriptors" ? pinned(fs.openSync(realPath, O_PATH | O_DIRECTORY | O_NOFOLLOW)) : named(realPath)
