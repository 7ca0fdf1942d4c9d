import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { DestinationExists, DirectoryNotEmpty } from "../../errors/filesystem.js"
import { PermissionDenied, ResourceExhausted } from "../../errors/general.js"
import { type Entry, type Root, withEntry } from "./descend.js"
import type { Directory } from "./Directory.js"
import { fileNotFound, missingFile } from "./fileContent.js"
import { fromStats } from "./fileStatus.js"
import { fromSegments, trashFolder } from "./pathForm.js"
import { move } from "./relocate.js"
import { codeOf, type Subject, type SystemFailure, systemFailure, unusable } from "./systemFailure.js"
import type { Workspace } from "./Workspace.js"

const folderPath = fromSegments([trashFolder])

/** How the operations on the trash folder name an entry of it. */
export const entryPath = (name: string) => fromSegments([trashFolder, name])

/** Holds the trash folder. It throws the system's errors; a link in its place is `ENOTDIR`. */
const hold = ({ directory }: Root): Directory => {
  try {
    return directory.child(trashFolder)
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause
    fs.mkdirSync(directory.at(trashFolder), 0o700)
    return directory.child(trashFolder)
  }
}

/** Whether there is a trash folder. It throws the system's errors. */
export const hasTrash = ({ directory }: Root): boolean =>
  fs.lstatSync(directory.at(trashFolder), { throwIfNoEntry: false }) !== undefined

/** Holds the trash folder while it is used, and makes it before where there is none. */
export const withTrash = <A, E, R>(
  root: Root,
  operation: string,
  use: (trash: Directory) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | SystemFailure, R> =>
  Effect.acquireUseRelease(
    Effect.catchAll(
      Effect.try({ try: () => hold(root), catch: (cause) => cause }),
      (cause): Effect.Effect<never, SystemFailure> =>
        codeOf(cause) === "ENOTDIR"
          ? Effect.fail(
            new PermissionDenied({
              message: `${folderPath.display} is not the directory that it should be`,
              path: folderPath.display,
              operation
            })
          )
          : systemFailure({ path: folderPath, operation, field: "path" })(cause)
    ),
    use,
    (trash) => Effect.sync(trash.close)
  )

// What the trash folder is asked for has been checked in form by whoever asks; this makes it sure.
export const isName = (name: string): boolean => name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name)

/** A file made in the directory after this look is not lost: it goes along, and comes back with a restore. */
const checkEmpty = (
  { directory, name }: Entry,
  subject: Subject
): Effect.Effect<void, DirectoryNotEmpty | SystemFailure> => {
  const { display } = subject.path
  const isEmpty = (): boolean => {
    if (fs.lstatSync(directory.at(name), { throwIfNoEntry: false })?.isDirectory() !== true) return true
    const held = directory.child(name)
    try {
      return fs.readdirSync(held.at(".")).length === 0
    } finally {
      held.close()
    }
  }
  return Effect.try({ try: isEmpty, catch: (cause) => cause }).pipe(
    Effect.catchAll((cause) =>
      // It is gone or something else by now, which the move finds out.
      codeOf(cause) === "ENOENT" || codeOf(cause) === "ENOTDIR" ? Effect.succeed(true) : systemFailure(subject)(cause)
    ),
    Effect.flatMap((empty) =>
      empty
        ? Effect.void
        : Effect.fail(new DirectoryNotEmpty({ message: `${display} is a directory that is not empty`, path: display }))
    )
  )
}

const moveToTrash = (root: Root): Workspace["moveToTrash"] => (path, trashName) => {
  const subject: Subject = { path, operation: "delete", field: "path" }
  if (path.segments.length === 0) return Effect.fail(unusable(subject, "is the workspace itself"))
  const target: Subject = { path: entryPath(trashName), operation: "delete", field: "path" }
  return withEntry(root, subject, { last: "itself" }, (entry) =>
    Effect.zipRight(
      checkEmpty(entry, subject),
      withTrash(root, "delete", (trash) =>
        move(entry, subject, { directory: trash, name: trashName }, target, { overwrite: false }))
    )).pipe(
      Effect.catchTags({
        NotThere: missingFile(subject),
        DiskFull: ({ message }) => Effect.fail(new ResourceExhausted({ message, resource: "disk" })),
        DestinationExists: (failure) => Effect.die(failure)
      }),
      Effect.map(fromStats)
    )
}

const restoreFromTrash = (root: Root): Workspace["restoreFromTrash"] => (trashName, path) => {
  const source: Subject = { path: entryPath(trashName), operation: "restore", field: "path" }
  if (!isName(trashName)) return Effect.fail(fileNotFound(source))
  const target: Subject = { path, operation: "restore", field: "path" }
  return withTrash(
    root,
    "restore",
    (trash) =>
      withEntry(
        root,
        target,
        { last: "itself", createParents: true },
        (entry) => move({ directory: trash, name: trashName }, source, entry, target, { overwrite: false })
      )
  ).pipe(
    Effect.catchTag("NotThere", () => {
      const { display } = path
      const message = `A file is where the directory of ${display} was`
      return Effect.fail(new DestinationExists({ message, path: display }))
    }),
    Effect.asVoid
  )
}

/** Deletes a file, or a directory with all that is in it, without following a link. It throws the system's errors. */
export const removeTree = (directory: Directory, name: string): void => {
  const status = fs.lstatSync(directory.at(name), { throwIfNoEntry: false })
  if (status === undefined) return
  if (!status.isDirectory()) return fs.unlinkSync(directory.at(name))
  const held = directory.child(name)
  try {
    for (const inner of fs.readdirSync(held.at("."))) removeTree(held, inner)
  } finally {
    held.close()
  }
  fs.rmdirSync(directory.at(name))
}

const dropFromTrash = (root: Root): Workspace["dropFromTrash"] => (trashName) => {
  const subject: Subject = { path: entryPath(trashName), operation: "delete", field: "path" }
  if (!isName(trashName)) return Effect.void
  return withTrash(root, "delete", (trash) =>
    Effect.catchAll(
      Effect.try({ try: () => removeTree(trash, trashName), catch: (cause) => cause }),
      systemFailure(subject)
    ))
}

/** The operations on the trash folder. */
export const make = (root: Root): Pick<Workspace, "moveToTrash" | "restoreFromTrash" | "dropFromTrash"> => ({
  moveToTrash: moveToTrash(root),
  restoreFromTrash: restoreFromTrash(root),
  dropFromTrash: dropFromTrash(root)
})
