import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { DiskFull } from "../../errors/filesystem.js"
import type { PathFailure, WorkspacePath } from "./Workspace.js"

/** What was seen at a place, so exactly that a change since is noticed. It means the same to a later process. */
export interface Sight {
  readonly type: "file" | "directory" | "symlink" | "other"
  readonly size: number
  /** The bits of its permissions. */
  readonly mode: number
  /** In microseconds since 1970, which is what can be given to a file again. */
  readonly modified: number
  readonly inode: string
  /** How many names it has. */
  readonly links: number
  /** Of a file of at most 16 MiB that may be read, and of what a symbolic link says. */
  readonly sha256?: string | undefined
}

/** What was seen just now. `stamp` changes with every change, and means nothing to another process. */
export interface Seen extends Sight {
  readonly stamp: string
}

/**
 * Contents that are kept in the trash folder until it is known whether they are needed again, and what gives them back. No path that
 * is taken here leads through a symbolic link. What changes something takes what was seen before, and returns false, with nothing
 * changed, where that is no longer there. None of it is interruptible.
 */
export interface KeptFiles {
  /** Where a path leads, without symbolic links: what is not there counts as directories. `last`: whether the last name is followed. */
  readonly placeOf: (
    path: WorkspacePath,
    options: { readonly last: "itself" | "followed" }
  ) => Effect.Effect<WorkspacePath, PathFailure>
  /** Looks at what is there itself. */
  readonly look: (path: WorkspacePath) => Effect.Effect<Option.Option<Seen>, PathFailure>
  /** The same without a digest, which takes no longer for a large file. */
  readonly glance: (path: WorkspacePath) => Effect.Effect<Option.Option<Seen>, PathFailure>
  /** The same as `look` for a name of the trash folder. */
  readonly lookInTrash: (name: string) => Effect.Effect<Option.Option<Seen>, PathFailure>
  /**
   * Keeps a file or a symbolic link under a name of the trash folder: by a second name, unless that is not possible, or it has another
   * one already under which it can be changed; then, and with `copy`, by a copy with the same mode and time. A copy is on the disk
   * when this ends if it is `durable`. False: there is neither a file nor a link.
   */
  readonly keep: (
    path: WorkspacePath,
    name: string,
    options: { readonly copy: boolean; readonly durable: boolean }
  ) => Effect.Effect<boolean, PathFailure | DiskFull>
  /** Moves what is kept to a place in one step, over the file that was seen there, or where nothing was. */
  readonly putBack: (
    name: string,
    path: WorkspacePath,
    seen: Option.Option<Seen>
  ) => Effect.Effect<boolean, PathFailure | DiskFull>
  /** Moves what was seen at a place to another one where nothing is, making its parent directories. */
  readonly moveBack: (
    from: WorkspacePath,
    seen: Seen,
    to: WorkspacePath
  ) => Effect.Effect<boolean, PathFailure | DiskFull>
  /** Takes the end of a file away, and gives it an earlier time. */
  readonly cutBack: (
    path: WorkspacePath,
    seen: Seen,
    earlier: { readonly size: number; readonly modified: number }
  ) => Effect.Effect<boolean, PathFailure>
  /** Deletes a file or a symbolic link for good. */
  readonly remove: (path: WorkspacePath, seen: Seen) => Effect.Effect<boolean, PathFailure>
  /** Deletes a directory, if it is there and empty; `temporary`: what a killed gateway was writing in it does not count. */
  readonly removeDirectory: (
    path: WorkspacePath,
    options: { readonly temporary: boolean }
  ) => Effect.Effect<void, PathFailure>
  /** All names in the trash folder. */
  readonly names: Effect.Effect<ReadonlyArray<string>, PathFailure>
}
