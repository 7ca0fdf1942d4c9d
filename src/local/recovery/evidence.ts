import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { maximumContent } from "../workspace/fileContent.js"
import type { FileContent, FileStatus, PathFailure, Workspace, WorkspacePath } from "../workspace/Workspace.js"

/**
 * What was seen at a path. `modified` in milliseconds since 1970: it goes along when a file is moved, and tells a file that
 * was written twice from one that was left alone. Files over 16 MiB have no digest, so that a look at one takes no longer.
 */
export const Evidence = Schema.Union(
  Schema.Struct({ type: Schema.Literal("absent") }),
  Schema.Struct({
    type: Schema.Literal("file", "directory", "symlink", "other"),
    size: Schema.Number,
    modified: Schema.Number,
    sha256: Schema.optional(Schema.String)
  })
)
export type Evidence = typeof Evidence.Type

/** Something that was seen. */
export type Present = Exclude<Evidence, { readonly type: "absent" }>

const absent: Evidence = { type: "absent" }

const ofStatus = ({ modified, size, type }: FileStatus): Present => ({
  type,
  size,
  modified: DateTime.toEpochMillis(modified)
})

const ofContent = ({ checksum, modified, size }: Omit<FileContent, "bytes">): Present => ({
  type: "file",
  size,
  modified: DateTime.toEpochMillis(modified),
  sha256: checksum
})

/** Looks at a file with its digest, however large it is, where a symbolic link leads to it. */
export const readWhole = (workspace: Workspace, path: WorkspacePath): Effect.Effect<Evidence, PathFailure> =>
  workspace.read(path, { limit: 0 }).pipe(
    Effect.map((content): Evidence => ofContent(content)),
    Effect.catchTag("FileNotFound", () => Effect.succeed(absent))
  )

/** Looks at what a path itself is, a symbolic link not followed. */
export const lookAt = (workspace: Workspace, path: WorkspacePath): Effect.Effect<Evidence, PathFailure> =>
  Effect.flatMap(
    workspace.status(path),
    Option.match({
      onNone: () => Effect.succeed(absent),
      onSome: (status) =>
        status.type === "file" && status.size <= maximumContent
          // A file that nobody may read can be moved all the same.
          ? Effect.catchTag(readWhole(workspace, path), "PermissionDenied", () => Effect.succeed(ofStatus(status)))
          : Effect.succeed(ofStatus(status))
    })
  )

/** Looks at what is at a path, or where a symbolic link leads. */
export const lookThrough = (workspace: Workspace, path: WorkspacePath): Effect.Effect<Evidence, PathFailure> =>
  Effect.flatMap(
    lookAt(workspace, path),
    (evidence) => evidence.type === "symlink" ? readWhole(workspace, path) : Effect.succeed(evidence)
  )

/** Whether it is the same file, as it was: its bytes, and not written since. It may have another name. */
export const isSame = (one: Evidence, other: Evidence): boolean =>
  one.type === "absent" || other.type === "absent"
    ? one.type === other.type
    : one.type === other.type && one.size === other.size && one.modified === other.modified &&
      (one.sha256 === undefined || other.sha256 === undefined || one.sha256 === other.sha256)

/** Whether it is a file with a given content. */
export const isContent = (evidence: Evidence, content: { readonly size: number; readonly sha256: string }): boolean =>
  evidence.type === "file" && evidence.size === content.size && evidence.sha256 === content.sha256

/** Why nothing can be told of a path. */
export const changedMeanwhile = ({ display }: WorkspacePath): string =>
  `${display} is neither as it was nor as it would be: somebody else changed it`
