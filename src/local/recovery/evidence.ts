import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { maximumContent } from "../workspace/fileContent.js"
import type { Sight } from "../workspace/KeptFiles.js"
import type { PathFailure, Workspace, WorkspacePath } from "../workspace/Workspace.js"

/**
 * What was seen at a path. `modified` in milliseconds since 1970: it goes along when a file is moved, and tells a file that
 * was written twice from one that was left alone. `inode` tells a file from another one, also of the same content. Digests are of small files only, so that a look at a large one takes no longer.
 */
export const Evidence = Schema.Union(
  Schema.Struct({ type: Schema.Literal("absent") }),
  Schema.Struct({
    type: Schema.Literal("file", "directory", "symlink", "other"),
    size: Schema.Number,
    modified: Schema.Number,
    inode: Schema.optional(Schema.String),
    sha256: Schema.optional(Schema.String)
  })
)
export type Evidence = typeof Evidence.Type

/** Something that was seen. */
export type Present = Exclude<Evidence, { readonly type: "absent" }>

const absent: Evidence = { type: "absent" }

const smallBytes = 64 * 1024

const ofSight = ({ inode, modified, size, type }: Sight): Present => ({ type, size, modified: modified / 1000, inode })

const readAll = (workspace: Workspace, path: WorkspacePath) =>
  Effect.map(workspace.read(path, { limit: 0, atOnce: true }), ({ checksum, modified, size }): Present => ({
    type: "file",
    size,
    modified: DateTime.toEpochMillis(modified),
    sha256: checksum
  }))

/** Looks at a file with its digest, however large it is, where a symbolic link leads to it. */
export const readWhole = (workspace: Workspace, path: WorkspacePath): Effect.Effect<Evidence, PathFailure> =>
  Effect.catchTag(readAll(workspace, path), "FileNotFound", () => Effect.succeed(absent))

/** Looks at what a path itself is, a symbolic link not followed, and not at its content. */
export const glanceAt = (workspace: Workspace, path: WorkspacePath): Effect.Effect<Evidence, PathFailure> =>
  Effect.map(workspace.kept.glance(path), Option.match({ onNone: () => absent, onSome: ofSight }))

/** The same, with the digest of a file that is no larger than `upTo` bytes, 64 KiB unless given. */
export const lookAt = (
  workspace: Workspace,
  path: WorkspacePath,
  upTo = smallBytes
): Effect.Effect<Evidence, PathFailure> =>
  Effect.flatMap(glanceAt(workspace, path), (seen) =>
    seen.type !== "file" || seen.size > upTo
      ? Effect.succeed(seen)
      : Effect.map(
        // A file that nobody may read can be moved all the same.
        Effect.catchTag(readWhole(workspace, path), "PermissionDenied", () => Effect.succeed(absent)),
        (read): Evidence => read.type === "file" && read.size === seen.size ? { ...seen, sha256: read.sha256 } : seen
      ))

/** Looks at what is at a path, or where a symbolic link leads; with digests as {@link lookAt} has them. */
export const lookThrough = (
  workspace: Workspace,
  path: WorkspacePath,
  upTo?: number
): Effect.Effect<Evidence, PathFailure> =>
  Effect.flatMap(lookAt(workspace, path, upTo), (evidence) =>
    evidence.type === "symlink"
      ? Effect.flatMap(
        workspace.kept.placeOf(path, { last: "followed" }),
        (place) => lookAt(workspace, place, upTo)
      )
      : Effect.succeed(evidence))

/** The same without any digest. */
export const glanceThrough = (workspace: Workspace, path: WorkspacePath): Effect.Effect<Evidence, PathFailure> =>
  lookThrough(workspace, path, -1)

/** The same with the digest of a file that may be written at once. */
export const lookInto = (workspace: Workspace, path: WorkspacePath): Effect.Effect<Evidence, PathFailure> =>
  lookThrough(workspace, path, maximumContent)

// What an earlier version has kept has no inode, and times in whole milliseconds.
const isSameFile = (one: Present, other: Present): boolean =>
  one.inode === undefined || other.inode === undefined
    ? Math.trunc(one.modified) === Math.trunc(other.modified)
    : one.modified === other.modified && one.inode === other.inode

/** Whether it is the same file, as it was: its bytes, and not written since. It may have another name. */
export const isSame = (one: Evidence, other: Evidence): boolean =>
  one.type === "absent" || other.type === "absent"
    ? one.type === other.type
    : one.type === other.type && one.size === other.size && isSameFile(one, other) &&
      (one.sha256 === undefined || other.sha256 === undefined || one.sha256 === other.sha256)

/** Whether it is a file with a given content. */
export const isContent = (evidence: Evidence, content: { readonly size: number; readonly sha256: string }): boolean =>
  evidence.type === "file" && evidence.size === content.size && evidence.sha256 === content.sha256

/** Why nothing can be told of a path. */
export const changedMeanwhile = ({ display }: WorkspacePath): string =>
  `${display} is neither as it was nor as it would be: somebody else changed it`
