import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import type { DiskFull } from "../../errors/filesystem.js"
import { type Changed, type Entry, NotThere, type Root, withEntry } from "./descend.js"
import type { Directory } from "./Directory.js"
import { withFile } from "./fileContent.js"
import { attempt, copyTo, keep, removeIfThere } from "./keeping.js"
import type { KeptFiles } from "./KeptFiles.js"
import { placeOf } from "./placeOf.js"
import { isTemporaryName, temporaryName } from "./publish.js"
import { move } from "./relocate.js"
import { asSeconds, isStill, lookAt } from "./sight.js"
import { codeOf, type Subject, type SystemFailure, systemFailure } from "./systemFailure.js"
import { entryPath, hasTrash, isName, withTrash } from "./trashFolder.js"
import type { WorkspacePath } from "./Workspace.js"

const { O_RDONLY, O_WRONLY } = fs.constants

const subjectOf = (path: WorkspacePath, operation: string): Subject => ({ path, operation, field: "path" })

/** Runs what throws the system's errors, and takes no room on the disk. */
const change = <A>(subject: Subject, evaluate: () => A): Effect.Effect<A, SystemFailure> =>
  Effect.catchAll(Effect.try({ try: evaluate, catch: (cause) => cause }), systemFailure(subject))

const lookWith = (root: Root, options: { readonly digest: boolean }): KeptFiles["look"] => (path) => {
  const subject = subjectOf(path, "look at")
  return withEntry(root, subject, { last: "itself" }, (entry) => lookAt(entry, subject, options)).pipe(
    Effect.catchTag("NotThere", () => Effect.succeedNone)
  )
}

const inTrash = (directory: Directory, name: string): Entry => ({ directory, name })

const lookInTrash = (root: Root): KeptFiles["lookInTrash"] => (name) => {
  const subject = subjectOf(entryPath(name), "look at")
  if (!isName(name)) return Effect.succeedNone
  return withTrash(
    root,
    "look at",
    (trash) => Effect.catchTag(lookAt(inTrash(trash, name), subject), "Changed", () => Effect.succeedNone)
  )
}

const noParent = (): Effect.Effect<boolean> => Effect.succeed(false)

/** The trash is on another file system: the bytes have to go over before the rename. */
const putCopy = (
  kept: Entry,
  entry: Entry,
  subject: Subject
): Effect.Effect<string, Changed | SystemFailure | DiskFull> => {
  const name = temporaryName()
  return withFile(kept, subject, O_RDONLY, (file) => copyTo(file, subject, entry.directory, name, true)).pipe(
    Effect.as(entry.directory.at(name)),
    Effect.catchTag("FileNotFound", (failure) => Effect.die(failure))
  )
}

const putBack = (root: Root): KeptFiles["putBack"] => (name, path, seen) => {
  const subject = subjectOf(path, "restore")
  const putAt = (trash: Directory, entry: Entry) => {
    const kept = trash.at(name)
    const target = entry.directory.at(entry.name)
    const put = (from: string): Effect.Effect<boolean | "away", SystemFailure | DiskFull> =>
      attempt(subject, () => {
        if (!isStill(target, seen)) return false
        try {
          fs.renameSync(from, target)
        } catch (cause) {
          if (codeOf(cause) === "EXDEV") return "away"
          throw cause
        }
        // A rename between two names of one file does nothing.
        removeIfThere(kept)
        return true
      })
    return Effect.flatMap(put(kept), (result) =>
      result !== "away" ? Effect.succeed(result) : Effect.acquireUseRelease(
        putCopy(inTrash(trash, name), entry, subject),
        (temporary) => Effect.map(put(temporary), (done) => done === true),
        (temporary) => Effect.sync(() => removeIfThere(temporary))
      ))
  }
  return withTrash(
    root,
    "restore",
    (trash) => withEntry(root, subject, { last: "itself", createParents: true }, (entry) => putAt(trash, entry))
  ).pipe(
    Effect.catchTag("NotThere", noParent),
    Effect.uninterruptible
  )
}

const moveBack = (root: Root): KeptFiles["moveBack"] => (from, seen, to) => {
  const source = subjectOf(from, "move")
  const destination = subjectOf(to, "move")
  const moveEntry = (origin: Entry, target: Entry) =>
    Effect.flatMap(
      change(source, () => isStill(origin.directory.at(origin.name), Option.some(seen))),
      (still) => still ? Effect.as(move(origin, source, target, destination, { overwrite: false }), true) : noParent()
    )
  return withEntry(
    root,
    source,
    { last: "itself" },
    (origin) =>
      withEntry(root, destination, { last: "itself", createParents: true }, (target) => moveEntry(origin, target))
  ).pipe(
    Effect.catchTags({
      NotThere: noParent,
      FileNotFound: noParent,
      DestinationExists: noParent
    }),
    Effect.uninterruptible
  )
}

const cutBack = (root: Root): KeptFiles["cutBack"] => (path, seen, { modified, size }) => {
  const subject = subjectOf(path, "restore")
  const cut = ({ directory, name }: Entry) =>
    change(subject, () => {
      const opened = directory.open(name, O_WRONLY)
      if (opened.type !== "file") return false
      try {
        if (!isStill(directory.at(name), Option.some(seen))) return false
        if (opened.status.size !== size) fs.ftruncateSync(opened.descriptor, size)
        fs.futimesSync(opened.descriptor, opened.status.atime, asSeconds(modified))
        return true
      } finally {
        fs.closeSync(opened.descriptor)
      }
    })
  return withEntry(root, subject, { last: "itself" }, cut).pipe(
    Effect.catchTag("NotThere", noParent),
    Effect.uninterruptible
  )
}

const remove = (root: Root): KeptFiles["remove"] => (path, seen) => {
  const subject = subjectOf(path, "delete")
  return withEntry(root, subject, { last: "itself" }, ({ directory, name }) =>
    change(subject, () => {
      if (!isStill(directory.at(name), Option.some(seen))) return false
      fs.unlinkSync(directory.at(name))
      return true
    })).pipe(Effect.catchTag("NotThere", noParent))
}

const removeTemporary = (directory: Directory): void => {
  const names = fs.readdirSync(directory.at("."))
  if (names.every(isTemporaryName)) { for (const name of names) removeIfThere(directory.at(name)) }
}

const removeDirectory = (root: Root): KeptFiles["removeDirectory"] => (path, { temporary }) => {
  const subject = subjectOf(path, "delete")
  return withEntry(root, subject, { last: "itself" }, ({ directory, name }) =>
    change(subject, () => {
      try {
        if (temporary) {
          const held = directory.child(name)
          try {
            removeTemporary(held)
          } finally {
            held.close()
          }
        }
        fs.rmdirSync(directory.at(name))
      } catch (cause) {
        if (!["ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST"].includes(codeOf(cause) ?? "")) throw cause
      }
    })).pipe(Effect.catchIf((failure) => failure instanceof NotThere, () => Effect.void))
}

const listing = subjectOf(entryPath("."), "list")

const names = (root: Root): KeptFiles["names"] =>
  Effect.flatMap(change(listing, () => hasTrash(root)), (isThere) =>
    isThere
      ? withTrash(root, "list", (trash) => change(listing, () => fs.readdirSync(trash.at("."))))
      : Effect.succeed([]))

/** What undoing needs of a workspace. */
export const make = (root: Root): KeptFiles => ({
  placeOf: placeOf(root),
  look: lookWith(root, { digest: true }),
  glance: lookWith(root, { digest: false }),
  lookInTrash: lookInTrash(root),
  keep: keep(root),
  putBack: putBack(root),
  moveBack: moveBack(root),
  cutBack: cutBack(root),
  remove: remove(root),
  removeDirectory: removeDirectory(root),
  names: names(root)
})
