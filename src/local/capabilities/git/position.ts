import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fromSegments } from "../../workspace/pathForm.js"
import { commitOf, headReference } from "./head.js"
import type { Repository } from "./Repository.js"

/** Where HEAD of a repository is: on a branch by its full name, if on one, at a commit, if there is one. */
export const Position = Schema.Struct({ head: Schema.NullOr(Schema.String), commit: Schema.NullOr(Schema.String) })
export type Position = typeof Position.Type

/** Asks git where HEAD is. */
export const positionOf = (repository: Repository) =>
  Effect.map(
    Effect.all([headReference(repository), commitOf(repository, "HEAD")]),
    ([head, commit]): Position => ({ head: head ?? null, commit: commit ?? null })
  )

/** Whether two are the same place. */
export const isAt = (one: Position, other: Position): boolean => one.head === other.head && one.commit === other.commit

/** The commit of a reference by its full name; null where there is none. */
export const referenceOf = (repository: Repository, name: string) =>
  Effect.map(commitOf(repository, name), (commit) => commit ?? null)

// How git is told that there is to be nothing, whatever its names of objects are made of.
const nothing = ""

/** Changes a reference if it is what it is expected to be; null: it is not there. Whether it was. */
export const setReference = (repository: Repository, name: string, now: string | null, then: string | null) =>
  Effect.map(
    repository.run(
      [
        "update-ref",
        "--no-deref",
        "-m",
        "kruxos: rolled back",
        ...then === null ? ["-d", name, ...now === null ? [] : [now]] : [name, then, now ?? nothing]
      ],
      {
        environment: {
          GIT_COMMITTER_NAME: "KruxOS",
          GIT_COMMITTER_EMAIL: "gateway@localhost",
          GIT_COMMITTER_DATE: "@0 +0000"
        }
      }
    ),
    ({ code }) => code === 0
  )

const mergeFiles = ["MERGE_HEAD", "MERGE_MSG", "MERGE_MODE"]

const longestNote = 1024 * 1024

const noteAt = ({ bare, place }: Repository, name: string) =>
  fromSegments([...place.segments, ...bare ? [] : [".git"], name])

/** What git has noted of a merge that is not committed yet, by the names of its files. */
export const mergeNotes = (repository: Repository): Effect.Effect<{ readonly [name: string]: string }> =>
  Effect.map(
    Effect.forEach(mergeFiles, (name) =>
      repository.workspace.read(noteAt(repository, name), { limit: longestNote }).pipe(
        Effect.map(({ bytes, size }) => size > longestNote ? [] : [[name, new TextDecoder().decode(bytes)] as const]),
        Effect.orElseSucceed(() => [])
      )),
    (notes) => Object.fromEntries(notes.flat())
  )

/** Writes notes of a merge again. */
export const writeMergeNotes = (repository: Repository, notes: { readonly [name: string]: string }) =>
  Effect.forEach(
    mergeFiles.flatMap((name) => notes[name] === undefined ? [] : [[name, notes[name]] as const]),
    ([name, text]) =>
      repository.workspace.write(noteAt(repository, name), new TextEncoder().encode(text), { createParents: false }),
    { discard: true }
  )

/** Whether all of a commit is in another one. */
export const contains = (repository: Repository, whole: string, part: string) =>
  Effect.map(repository.run(["merge-base", "--is-ancestor", part, whole]), ({ code }) => code === 0)
