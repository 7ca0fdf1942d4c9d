import * as DateTime from "effect/DateTime"
import type { Stats } from "node:fs"
import { userInfo } from "node:os"
import type { FileStatus } from "./Workspace.js"

// What a Date can hold; a file system may hold more.
const latest = 8.64e15

/** A file's time from milliseconds since 1970, which may have a fraction. */
export const timeOf = (milliseconds: number): DateTime.Utc =>
  DateTime.unsafeMake(Math.trunc(Math.min(Math.max(milliseconds, -latest), latest)))

const letters = ["r", "w", "x"]

const permissionsOf = (mode: number): string =>
  Array.from({ length: 9 }, (_, index) => (mode & (0o400 >> index)) === 0 ? "-" : letters[index % 3]).join("")

let self: { readonly uid: number; readonly username: string } | undefined

// Node can name no other user than its own; for the others the number has to do.
const ownerOf = (uid: number): string => {
  self ??= ownUser()
  return uid === self.uid ? self.username : String(uid)
}

const ownUser = () => {
  try {
    return userInfo()
  } catch {
    const uid = process.getuid?.() ?? -1
    return { uid, username: String(uid) }
  }
}

/** What the operating system says of a file, in an agent's words. */
export const fromStats = (stats: Stats): FileStatus => ({
  type: stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "symlink" : "other",
  size: stats.size,
  modified: timeOf(stats.mtimeMs),
  created: stats.birthtimeMs > 0 ? timeOf(stats.birthtimeMs) : undefined,
  permissions: permissionsOf(stats.mode),
  owner: ownerOf(stats.uid)
})
