import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import { DirectoryNotFound, NotADirectory } from "../../errors/filesystem.js"
import { letOthersRun } from "../letOthersRun.js"
import { enter, type Entry, type NotThere, type Root, withEntry } from "./descend.js"
import type { Directory } from "./Directory.js"
import { fromStats } from "./fileStatus.js"
import { byCodePoint } from "./names.js"
import { fromSegments, isReserved } from "./pathForm.js"
import { codeOf, type Subject, type SystemFailure, systemFailure } from "./systemFailure.js"
import type { DirectoryEntry, WalkedFile, Workspace, WorkspacePath } from "./Workspace.js"

const subjectOf = (path: WorkspacePath, operation: string): Subject => ({ path, operation, field: "path" })

const noDirectory = ({ path: { display } }: Subject) => ({ last, reason }: NotThere) =>
  Effect.fail(
    last && reason === "not-a-directory"
      ? new NotADirectory({ message: `${display} is not a directory`, path: display })
      : new DirectoryNotFound({ message: `There is no directory at ${display}`, path: display })
  )

const statusAt = ({ directory, name }: Entry): Option.Option<fs.Stats> =>
  Option.fromNullable(fs.lstatSync(directory.at(name), { throwIfNoEntry: false }))

const attempt = <A>(evaluate: () => A): Effect.Effect<A, unknown> =>
  Effect.try({ try: evaluate, catch: (cause) => cause })

const status = (root: Root): Workspace["status"] => (path) => {
  const subject = subjectOf(path, "look at")
  return withEntry(
    root,
    subject,
    { last: "itself" },
    (entry) => Effect.catchAll(attempt(() => Option.map(statusAt(entry), fromStats)), systemFailure(subject))
  ).pipe(Effect.catchTag("NotThere", () => Effect.succeedNone))
}

// Lets the process do something else within a directory of very many files.
const breathe = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

const atOnce = 500

/** The entries of a directory that is held, by name. What vanishes meanwhile, or has no name in Unicode, is left out. */
const entriesOf = (directory: Directory): Effect.Effect<ReadonlyArray<DirectoryEntry>, unknown> =>
  Effect.gen(function*() {
    const names = yield* attempt(() => fs.readdirSync(directory.at(".")).sort(byCodePoint))
    const entries: Array<DirectoryEntry> = []
    for (let start = 0; start < names.length; start += atOnce) {
      if (start > 0) yield* breathe
      const found = yield* attempt(() =>
        names.slice(start, start + atOnce).flatMap((name) =>
          Option.toArray(Option.map(statusAt({ directory, name }), (stats) => ({ name, ...fromStats(stats) })))
        )
      )
      entries.push(...found)
    }
    return entries
  })

const isRoot = (root: Root, directory: Directory): boolean => {
  const one = fs.lstatSync(directory.at("."), { bigint: true })
  const other = fs.lstatSync(root.directory.at("."), { bigint: true })
  return one.ino === other.ino && one.dev === other.dev
}

/** What an agent gets to see of a directory that a path leads to. */
const visibleEntriesOf = (root: Root, directory: Directory) =>
  Effect.flatMap(
    entriesOf(directory),
    (entries) => attempt(() => isRoot(root, directory) ? entries.filter(({ name }) => !isReserved(name)) : entries)
  )

const entries = (root: Root): Workspace["entries"] => (path) => {
  const subject = subjectOf(path, "list")
  return withEntry(
    root,
    subject,
    { last: "entered" },
    ({ directory }) => Effect.catchAll(visibleEntriesOf(root, directory), systemFailure(subject))
  ).pipe(
    Effect.catchTag("NotThere", noDirectory(subject))
  )
}

/** Holds a directory below another one, links not followed. It throws the system's errors. */
const holdBelow = (base: Directory, names: ReadonlyArray<string>): Directory => {
  let current = base
  for (const name of names) {
    const previous = current
    try {
      current = previous.child(name)
    } finally {
      if (previous !== base) previous.close()
    }
  }
  return current
}

// What is gone by now, has become something else, or may not be read, is no reason to break off a walk.
const passable = ["ENOENT", "ENOTDIR", "ELOOP", "EACCES", "EPERM"]

const entriesBelow = (root: Root, base: Directory, names: ReadonlyArray<string>) =>
  names.length === 0
    ? visibleEntriesOf(root, base)
    : Effect.acquireUseRelease(
      attempt(() => holdBelow(base, names)),
      entriesOf,
      (directory) => Effect.sync(directory.close)
    ).pipe(
      Effect.catchIf((cause) => passable.includes(codeOf(cause) ?? ""), () => Effect.succeed<Array<DirectoryEntry>>([]))
    )

const walkedFile = (path: WorkspacePath, names: ReadonlyArray<string>, entry: DirectoryEntry): WalkedFile => {
  const { name, ...status } = entry
  return {
    ...status,
    path: fromSegments([...path.segments, ...names, name]),
    relative: [...names, name].join("/")
  }
}

/** Directories to visit, the next one first. */
interface ToVisit {
  readonly names: ReadonlyArray<string>
  readonly after: ToVisit | undefined
}

const directoriesBetweenPauses = 64

/** The files of one directory after the other. Entries are read synchronously, so that a wide tree needs pauses. */
const walkFrom = (root: Root, base: Directory, subject: Subject, includeHidden: boolean) => {
  let visited = 0
  const pause = Effect.suspend(() => ++visited % directoriesBetweenPauses === 0 ? letOthersRun : Effect.void)
  return Stream.paginateChunkEffect<ToVisit, WalkedFile, SystemFailure, never>(
    { names: [], after: undefined },
    ({ after, names }) =>
      pause.pipe(
        Effect.zipRight(entriesBelow(root, base, names)),
        Effect.catchAll(systemFailure(subject)),
        Effect.map((entries) => {
          const shown = entries.filter(({ name }) => includeHidden || !name.startsWith("."))
          const files = shown.filter(({ type }) => type === "file")
          const next = shown.filter(({ type }) => type === "directory").reduceRight(
            (rest: ToVisit | undefined, { name }): ToVisit => ({ names: [...names, name], after: rest }),
            after
          )
          return [
            Chunk.fromIterable(files.map((file) => walkedFile(subject.path, names, file))),
            Option.fromNullable(next)
          ]
        })
      )
  )
}

const walk = (root: Root): Workspace["walk"] => (path, { includeHidden }) => {
  const subject = subjectOf(path, "search")
  return Stream.unwrapScoped(
    enter(root, subject).pipe(
      Effect.map((base) => walkFrom(root, base, subject, includeHidden)),
      Effect.catchTag("NotThere", noDirectory(subject))
    )
  )
}

/** The operations on directories and on whatever there is. */
export const make = (root: Root): Pick<Workspace, "status" | "entries" | "walk"> => ({
  status: status(root),
  entries: entries(root),
  walk: walk(root)
})
