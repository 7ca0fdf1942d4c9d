import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { type DiskFull, ParentNotFound } from "../../errors/filesystem.js"
import { Changed, type Entry, type NotThere, type Root, withEntry } from "./descend.js"
import {
  checkLength,
  missingFile,
  notAFile,
  type OpenFile,
  pieces,
  readPart,
  withFile,
  writeAll
} from "./fileContent.js"
import { publish } from "./publish.js"
import { destinationExists, isSameEntry, move as moveEntry } from "./relocate.js"
import { codeOf, storageFailure, type Subject, type SystemFailure, unusable } from "./systemFailure.js"
import type { Workspace, WorkspacePath } from "./Workspace.js"

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = fs.constants

const subjectOf = (path: WorkspacePath, operation: string, field: Subject["field"] = "path"): Subject => ({
  path,
  operation,
  field
})

const missingParent = ({ path: { display } }: Subject) => (_: NotThere): Effect.Effect<never, ParentNotFound> =>
  Effect.fail(new ParentNotFound({ message: `The directory of ${display} does not exist`, path: display }))

const read = (root: Root): Workspace["read"] => (path, range = {}) => {
  const subject = subjectOf(path, "read")
  return withEntry(
    root,
    subject,
    { last: "opened" },
    (entry) => withFile(entry, subject, O_RDONLY, (file) => readPart(file, subject, range))
  ).pipe(Effect.catchTag("NotThere", missingFile(subject)))
}

const write = (root: Root): Workspace["write"] => (path, bytes, { createParents }) => {
  const subject = subjectOf(path, "write")
  const publishBytes = (entry: Entry) => publish(entry, subject, { place: "replace" }, (append) => append(bytes))
  return Effect.zipRight(
    checkLength(bytes),
    withEntry(root, subject, { last: "followed", createParents }, publishBytes)
  ).pipe(
    Effect.catchTags({
      NotThere: missingParent(subject),
      Occupied: () => Effect.fail(unusable(subject, "is in use"))
    })
  )
}

/** What a caller's own effect failed with, apart from the failures here. */
class Abandoned<E> {
  readonly _tag = "Abandoned"
  readonly failure: E

  constructor(failure: E) {
    this.failure = failure
  }
}

const fill = (root: Root): Workspace["fill"] => (path, { overwrite }, fillFile) => {
  const subject = subjectOf(path, "write")
  const place = overwrite ? "replace" : "create"
  return withEntry(
    root,
    subject,
    { last: overwrite ? "followed" : "itself" },
    (entry) =>
      publish(
        entry,
        subject,
        { place },
        (append) => Effect.mapError(fillFile(append), (failure) => new Abandoned(failure))
      )
  ).pipe(
    Effect.catchTags({
      NotThere: missingParent(subject),
      Occupied: () => Effect.fail(destinationExists(subject)),
      Abandoned: ({ failure }) => Effect.fail(failure)
    })
  )
}

type AppendFailure = Changed | SystemFailure | DiskFull

interface Appending {
  readonly descriptor: number
  /** The file that was made for it, else undefined. */
  readonly made: string | undefined
}

const createToAppend = (path: string, subject: Subject): Effect.Effect<Appending, AppendFailure> => {
  try {
    const descriptor = fs.openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666)
    return Effect.succeed({ descriptor, made: path })
  } catch (cause) {
    const code = codeOf(cause)
    return code === "EEXIST" || code === "ENOENT" ? Effect.fail(new Changed()) : storageFailure(subject)(cause)
  }
}

const openToAppend = ({ directory, name }: Entry, subject: Subject): Effect.Effect<Appending, AppendFailure> => {
  try {
    const opened = directory.open(name, O_WRONLY | O_APPEND)
    return opened.type === "file"
      ? Effect.succeed({ descriptor: opened.descriptor, made: undefined })
      : Effect.fail(notAFile(subject, opened.type))
  } catch (cause) {
    return codeOf(cause) === "ENOENT" ? createToAppend(directory.at(name), subject) : storageFailure(subject)(cause)
  }
}

const isStill = (path: string, { dev, ino }: fs.Stats) => {
  const now = fs.lstatSync(path, { throwIfNoEntry: false })
  return now?.ino === ino && now.dev === dev
}

// Only what is still the end of the file: others may append, too.
const takeBack = ({ descriptor, made }: Appending, before: number, written: number) => {
  try {
    const now = fs.fstatSync(descriptor)
    if (now.size !== before + written) return
    fs.ftruncateSync(descriptor, before)
    if (made !== undefined && before === 0 && isStill(made, now)) fs.unlinkSync(made)
  } catch {
    // A disk that fails may keep a part.
  }
}

const append = (root: Root): Workspace["append"] => (path, bytes) => {
  const subject = subjectOf(path, "append to")
  const appendBytes = (entry: Entry) =>
    Effect.acquireUseRelease(
      Effect.suspend(() => openToAppend(entry, subject)),
      (appending) =>
        Effect.suspend(() => {
          const { descriptor } = appending
          const before = fs.fstatSync(descriptor).size
          let written = 0
          return writeAll(descriptor, bytes, (count) => {
            written = count
          }).pipe(
            Effect.map(() => ({ size: fs.fstatSync(descriptor).size })),
            Effect.tapError(() => Effect.sync(() => takeBack(appending, before, written))),
            Effect.catchAll(storageFailure(subject))
          )
        }),
      ({ descriptor }) => Effect.sync(() => fs.closeSync(descriptor))
    )
  return Effect.zipRight(checkLength(bytes), withEntry(root, subject, { last: "followed" }, appendBytes)).pipe(
    Effect.catchTag("NotThere", missingParent(subject))
  )
}

const copy = (root: Root): Workspace["copy"] => (source, destination, { overwrite }) => {
  const from = subjectOf(source, "copy", "source")
  const to = subjectOf(destination, "write", "destination")
  const copyTo = (file: OpenFile, origin: Entry, target: Entry) => {
    const options = { place: overwrite ? "replace" : "create", mode: file.status.mode & 0o777 } as const
    return isSameEntry(origin, target)
      ? Effect.fail(unusable(to, "is the source itself"))
      : publish(target, to, options, (add) => pieces(file, from, add))
  }
  const copyFrom = (origin: Entry) =>
    withFile(origin, from, O_RDONLY, (file) =>
      Effect.catchTags(
        withEntry(root, to, { last: overwrite ? "followed" : "itself" }, (target) => copyTo(file, origin, target)),
        { NotThere: missingParent(to), Occupied: () => Effect.fail(destinationExists(to)) }
      ))
  return withEntry(root, from, { last: "followed" }, copyFrom).pipe(Effect.catchTag("NotThere", missingFile(from)))
}

const move = (root: Root): Workspace["move"] => (source, destination, options) => {
  const from = subjectOf(source, "move", "source")
  const to = subjectOf(destination, "move", "destination")
  return withEntry(root, from, { last: "itself" }, (origin) =>
    Effect.catchTag(
      withEntry(root, to, { last: "itself" }, (target) => moveEntry(origin, from, target, to, options)),
      "NotThere",
      missingParent(to)
    )).pipe(
      Effect.catchTag("NotThere", missingFile(from)),
      Effect.map(({ size }) => ({ size }))
    )
}

/** The operations on single files. */
export const make = (root: Root): Pick<Workspace, "read" | "write" | "fill" | "append" | "copy" | "move"> => ({
  read: read(root),
  write: write(root),
  fill: fill(root),
  append: append(root),
  copy: copy(root),
  move: move(root)
})
