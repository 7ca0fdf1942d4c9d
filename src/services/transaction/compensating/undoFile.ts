import * as Effect from "effect/Effect"
import type { KruxosError } from "../../../errors/KruxosError.js"
import { isSame, type Look, look } from "./fileLook.js"
import {
  asBefore,
  type Ask,
  type CannotUndo,
  cannotUndo,
  type ChangedSince,
  conflict,
  notUndone,
  type Outcome,
  type Undo,
  type Undone,
  undone
} from "./Knowledge.js"

const megabytes = (bytes: number) => `${Math.ceil(bytes / (1024 * 1024))} MiB`

/** Looks what is at a path before a step changes it: nothing, or a file whose content is kept. */
export const lookBefore = (ask: Ask, path: string): Effect.Effect<Look, KruxosError | CannotUndo> =>
  Effect.flatMap(look(ask, path), (before): Effect.Effect<Look, CannotUndo> => {
    switch (before._tag) {
      case "Absent":
        return Effect.succeed(before)
      case "Directory":
        return cannotUndo(`${path} is a directory`)
      case "Other":
        return cannotUndo(`${path} is a ${before.type}, whose content before cannot be kept`)
      case "File":
        return before.content === undefined
          ? cannotUndo(
            `the content of ${path} cannot be kept: it has ${
              megabytes(before.size)
            }, or the gateway does not give it whole`
          )
          : Effect.succeed(before)
    }
  })

/** How many characters of content are kept. */
export const sizeOf = (...looks: ReadonlyArray<Look>): number =>
  looks.reduce((sum, found) => sum + (found._tag === "File" ? found.content?.length ?? 0 : 0), 0)

const write = (ask: Ask, path: string, content: string) =>
  ask("filesystem.write", { path, content, encoding: "binary" })

/** Something at a path that somebody else has changed; the content from before is kept beside it, if there was any. */
export const changedAt = (ask: Ask, path: string, before: Look): ChangedSince => ({
  resource: path,
  save: before._tag === "File" && before.content !== undefined ? saveBeside(ask, path, before.content) : undefined
})

const saveBeside = (ask: Ask, path: string, content: string) => (label: string) =>
  Effect.map(
    ask("filesystem.write", { path: `${path}.${label}`, content, encoding: "binary", create_parents: true }),
    (written) => written.path
  )

// Somebody has put something into one of them: then it is not as the step has left it, and stays.
const removeDirectories = (ask: Ask, directories: ReadonlyArray<string>): Effect.Effect<void, KruxosError> =>
  Effect.forEach(directories, (path) => ask("filesystem.delete", { path }), { discard: true }).pipe(
    Effect.catchTags({ DirectoryNotEmpty: () => Effect.void, FileNotFound: () => Effect.void })
  )

/** Puts back what was at a path, where a file is now. */
export const putBack = (
  ask: Ask,
  path: string,
  before: Look,
  created: ReadonlyArray<string> = []
): Effect.Effect<Undone, KruxosError> => {
  if (before._tag === "Absent") {
    return Effect.zipRight(
      Effect.catchTag(ask("filesystem.delete", { path }), "FileNotFound", () => Effect.void),
      Effect.as(removeDirectories(ask, created), undone)
    )
  }
  return before._tag === "File" && before.content !== undefined
    ? Effect.as(write(ask, path, before.content), undone)
    : Effect.succeed(notUndone(`the content of ${path} before is not known`))
}

/** What undoing the change of a file's content goes by. */
export interface FileChange {
  readonly path: string
  /** The path as the gateway names it, for the report. */
  readonly shown?: string | undefined
  readonly before: Look
  /** What the step has left, or would have left; undefined where nobody can say. */
  readonly after: Look | undefined
  /** The directories that the step has created, the deepest first. */
  readonly created?: ReadonlyArray<string> | undefined
}

/** Undoes the change of a file, unless somebody else has changed it since. */
export const undoFile = (
  ask: Ask,
  { after, before, created, path, shown = path }: FileChange,
  outcome: Outcome<unknown>
): Undo =>
  Effect.flatMap(look(ask, path), (now): Effect.Effect<Undone, KruxosError> => {
    if (isSame(now, before)) {
      // The file may be gone, and the directories not.
      return before._tag === "Absent" && outcome._tag === "Done" && created !== undefined && created.length > 0
        ? Effect.as(removeDirectories(ask, created), undone)
        : Effect.succeed(asBefore(outcome))
    }
    if (after !== undefined && isSame(now, after)) return putBack(ask, path, before, created)
    // What failed has not written it.
    return Effect.succeed(outcome._tag === "Failed" ? asBefore(outcome) : conflict(changedAt(ask, shown, before)))
  })
