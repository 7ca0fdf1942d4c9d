import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type {
  DestinationExists,
  DirectoryNotEmpty,
  DirectoryNotFound,
  DiskFull,
  FileNotFound,
  NotADirectory,
  ParentNotFound,
  PathOutOfScope
} from "../../errors/filesystem.js"
import type { InvalidInput, PermissionDenied, ResourceExhausted } from "../../errors/general.js"
import type { KeptFiles } from "./KeptFiles.js"

/** A path that has been checked in form: its names below the workspace, and how an agent sees it (`/workspace/a/b`). */
export interface WorkspacePath {
  readonly segments: ReadonlyArray<string>
  readonly display: string
}

/** What the file system says of a file. `other` is a device, a socket or a pipe, which nothing here opens. */
export interface FileStatus {
  readonly type: "file" | "directory" | "symlink" | "other"
  readonly size: number
  readonly modified: DateTime.Utc
  readonly created: DateTime.Utc | undefined
  /** As `ls` writes it: `rw-r--r--`. */
  readonly permissions: string
  readonly owner: string
}

/** An entry of a directory. */
export interface DirectoryEntry extends FileStatus {
  readonly name: string
}

/** A file met on a walk; `relative` is its path below the directory that the walk started in, with `/`. */
export interface WalkedFile extends FileStatus {
  readonly path: WorkspacePath
  readonly relative: string
}

/** A file's bytes, and what holds for the whole file even where only a part was asked for. */
export interface FileContent {
  readonly bytes: Uint8Array
  readonly size: number
  readonly modified: DateTime.Utc
  readonly checksum: string
}

/** Which part of a file is read, in bytes. */
export interface ReadRange {
  readonly offset?: number | undefined
  readonly limit?: number | undefined
  /** Whether a small file is read while everything else waits: quicker for one file, and wrong for one after the other. */
  readonly atOnce?: boolean | undefined
}

/** What any operation on a path can fail with. */
export type PathFailure = PathOutOfScope | InvalidInput | PermissionDenied | ResourceExhausted

/**
 * The files that an agent may touch: everything below one directory of the host, and nothing else, whatever the path says
 * and wherever symbolic links lead. Every operation resolves its path anew and holds what it resolved while it works, so
 * that nothing that changes in between can lead it out.
 */
export interface Workspace {
  /** The directory on the host. Never shown to an agent. */
  readonly root: string
  /** Checks a path in form: relative, or below `/workspace`. `..` may not leave it, NUL bytes and over-long names are refused. */
  readonly resolve: (path: string) => Effect.Effect<WorkspacePath, PathOutOfScope | InvalidInput>
  /** None when nothing is there. A symbolic link at the end is described itself, not what it leads to. */
  readonly status: (path: WorkspacePath) => Effect.Effect<Option.Option<FileStatus>, PathFailure>
  /** Everything in a directory, by name, but the trash folder. The path may lead to it through symbolic links. */
  readonly entries: (
    path: WorkspacePath
  ) => Effect.Effect<ReadonlyArray<DirectoryEntry>, PathFailure | DirectoryNotFound | NotADirectory>
  /**
   * The regular files below a directory, directory by directory and by name, symbolic links neither given nor entered.
   * Names that start with a dot are left out unless asked for; directories that may not be read are passed over.
   */
  readonly walk: (
    path: WorkspacePath,
    options: { readonly includeHidden: boolean }
  ) => Stream.Stream<WalkedFile, PathFailure | DirectoryNotFound | NotADirectory>
  /** More than 16 MiB at once is ResourceExhausted. */
  readonly read: (
    path: WorkspacePath,
    range?: ReadRange
  ) => Effect.Effect<FileContent, PathFailure | FileNotFound>
  /** Replaces or creates the file in one step: it holds the old bytes or the new ones, whatever happens. */
  readonly write: (
    path: WorkspacePath,
    bytes: Uint8Array,
    options: { readonly createParents: boolean }
  ) => Effect.Effect<{ readonly size: number; readonly checksum: string }, PathFailure | ParentNotFound | DiskFull>
  /** Creates the file if need be. A part that was appended before the disk was full is taken back. */
  readonly append: (
    path: WorkspacePath,
    bytes: Uint8Array
  ) => Effect.Effect<{ readonly size: number }, PathFailure | ParentNotFound | DiskFull>
  /**
   * Makes a file of what `fill` appends, in one step as `write` does: until `fill` has succeeded, what was there before is there,
   * or nothing. Nothing is filled where it cannot be put. With `overwrite` a symbolic link is written through; a directory is
   * InvalidInput then. `fill` begins anew where the place changes meanwhile, which is rare.
   */
  readonly fill: <E, R>(
    path: WorkspacePath,
    options: { readonly overwrite: boolean },
    fill: (append: (bytes: Uint8Array) => Effect.Effect<void, PathFailure | DiskFull>) => Effect.Effect<void, E, R>
  ) => Effect.Effect<
    { readonly size: number; readonly checksum: string },
    E | PathFailure | ParentNotFound | DestinationExists | DiskFull,
    R
  >
  /**
   * Copies a file, in one step as `write` does. With `overwrite` a symbolic link at the destination is written through;
   * a directory there is InvalidInput.
   */
  readonly copy: (
    source: WorkspacePath,
    destination: WorkspacePath,
    options: { readonly overwrite: boolean }
  ) => Effect.Effect<
    { readonly size: number; readonly checksum: string },
    PathFailure | FileNotFound | ParentNotFound | DestinationExists | DiskFull
  >
  /** Moves a file, a symbolic link itself or a directory. A directory is not overwritten. */
  readonly move: (
    source: WorkspacePath,
    destination: WorkspacePath,
    options: { readonly overwrite: boolean }
  ) => Effect.Effect<
    { readonly size: number },
    PathFailure | FileNotFound | ParentNotFound | DestinationExists | DiskFull
  >
  /** Moves a file or an empty directory into the trash folder under the given name. */
  readonly moveToTrash: (
    path: WorkspacePath,
    trashName: string
  ) => Effect.Effect<FileStatus, PathFailure | FileNotFound | DirectoryNotEmpty>
  /** Moves an entry of the trash folder back to a path where nothing is, making its parent directories. */
  readonly restoreFromTrash: (
    trashName: string,
    path: WorkspacePath
  ) => Effect.Effect<void, PathFailure | FileNotFound | DestinationExists | DiskFull>
  /** Deletes an entry of the trash folder for good. */
  readonly dropFromTrash: (trashName: string) => Effect.Effect<void, PathFailure>
  /** What undoing needs. */
  readonly kept: KeptFiles
}
