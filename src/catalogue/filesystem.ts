import * as Schema from "effect/Schema"
import {
  DestinationExists,
  DirectoryNotEmpty,
  DirectoryNotFound,
  DiskFull,
  EncodingError,
  FileNotFound,
  InvalidPattern,
  NotADirectory,
  ParentNotFound,
  PathOutOfScope,
  ReplacementCountMismatch,
  TooManyWatches,
  TrashEntryNotFound
} from "../errors/filesystem.js"
import { InvalidInput } from "../errors/general.js"
import {
  DateTimeUtc,
  FilesystemPath,
  GlobPattern,
  Integer,
  NonNegativeInteger,
  openEnumeration,
  Sha256
} from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const FileType = openEnumeration("file", "directory", "symlink")

const positive = Integer.pipe(Schema.positive())

export const read = make("filesystem.read", {
  tier: "autonomous",
  tags: ["filesystem", "read", "safe"],
  inputs: {
    path: FilesystemPath,
    encoding: optional(Schema.String, "utf-8"),
    offset: optional(NonNegativeInteger),
    limit: optional(NonNegativeInteger)
  },
  outputs: {
    content: Schema.String,
    size: Integer,
    size_bytes: Integer,
    modified: Schema.optional(DateTimeUtc),
    modified_at: Schema.optional(DateTimeUtc),
    checksum: Schema.optional(Sha256),
    truncated: Schema.optional(Schema.Boolean),
    encoding: Schema.optional(Schema.String)
  },
  spellings: [["size", "size_bytes"], ["modified", "modified_at"]],
  errors: {
    PathOutOfScope: failure(PathOutOfScope, "check_scope", "request_access"),
    FileNotFound: failure(FileNotFound, "search", "list"),
    EncodingError: failure(EncodingError, "try_binary")
  }
})

export const write = make("filesystem.write", {
  tier: "notify",
  tags: ["filesystem", "write", "modifying"],
  inputs: {
    path: FilesystemPath,
    content: Schema.String,
    encoding: optional(Schema.String, "utf-8"),
    create_parents: optional(Schema.Boolean, false)
  },
  outputs: { path: FilesystemPath, size: Integer, checksum: Sha256 },
  errors: {
    PathOutOfScope: failure(PathOutOfScope, "check_scope", "request_access"),
    ParentNotFound: failure(ParentNotFound, "create_parents"),
    DiskFull: failure(DiskFull, "check_quota")
  },
  sideEffects: ["reversible"]
})

export const edit = make("filesystem.edit", {
  tier: "notify",
  tags: ["filesystem", "edit", "write", "modifying"],
  inputs: {
    path: FilesystemPath,
    pattern: Schema.String,
    replace: Schema.String,
    include_glob: optional(GlobPattern),
    regex: optional(Schema.Boolean, false),
    expected_replacements: optional(NonNegativeInteger),
    replace_all: optional(Schema.Boolean, false),
    dry_run: optional(Schema.Boolean, false),
    include_all: optional(Schema.Boolean, false)
  },
  outputs: {
    applied: openEnumeration("full", "preview", "partial"),
    total_replacements: Integer,
    files_changed: Integer,
    per_file: Schema.Array(Schema.Struct({ path: FilesystemPath, replacements: Integer })),
    skipped: Schema.Array(Schema.Struct({ path: FilesystemPath, reason: Schema.String })),
    diff: Schema.String
  },
  errors: {
    PathOutOfScope: failure(PathOutOfScope, "check_scope"),
    FileNotFound: failure(FileNotFound, "search"),
    ReplacementCountMismatch: failure(ReplacementCountMismatch, "preview"),
    InvalidPattern: failure(InvalidPattern, "simplify"),
    InvalidInput: failure(InvalidInput, "fix_input")
  },
  sideEffects: ["reversible"]
})

export const list = make("filesystem.list", {
  tier: "autonomous",
  tags: ["filesystem", "read", "safe", "directory"],
  inputs: {
    path: FilesystemPath,
    include_hidden: optional(Schema.Boolean, false),
    sort_by: optional(Schema.Literal("name", "size", "modified", "-name", "-size", "-modified"), "name")
  },
  outputs: {
    entries: Schema.Array(
      Schema.Struct({ name: Schema.String, type: FileType, size: Integer, modified: DateTimeUtc })
    ),
    total: Integer,
    path: FilesystemPath
  },
  errors: {
    PathOutOfScope: failure(PathOutOfScope, "check_scope"),
    DirectoryNotFound: failure(DirectoryNotFound, "search"),
    NotADirectory: failure(NotADirectory, "read")
  }
})

export const remove = make("filesystem.delete", {
  tier: "approval_required",
  tags: ["filesystem", "write", "destructive"],
  inputs: { path: FilesystemPath },
  outputs: { deleted_path: FilesystemPath, trash_path: FilesystemPath, recoverable_until: DateTimeUtc },
  errors: {
    PathOutOfScope: failure(PathOutOfScope, "check_scope"),
    FileNotFound: failure(FileNotFound, "list"),
    DirectoryNotEmpty: failure(DirectoryNotEmpty, "list_contents")
  },
  sideEffects: ["reversible"]
})

export const restore = make("filesystem.restore", {
  tier: "notify",
  tags: ["filesystem", "write", "modifying"],
  inputs: { trash_path: FilesystemPath, overwrite: optional(Schema.Boolean, false) },
  outputs: { restored_path: FilesystemPath, trash_path: FilesystemPath },
  errors: {
    PathOutOfScope: failure(PathOutOfScope, "check_scope"),
    TrashEntryNotFound: failure(TrashEntryNotFound, "list"),
    DestinationExists: failure(DestinationExists, "overwrite")
  },
  sideEffects: ["reversible"]
})

export const stat = make("filesystem.stat", {
  tier: "autonomous",
  tags: ["filesystem", "read", "safe", "metadata"],
  inputs: { path: FilesystemPath },
  outputs: {
    exists: Schema.Boolean,
    type: Schema.optional(FileType),
    size: Schema.optional(Integer),
    modified: Schema.optional(DateTimeUtc),
    created: Schema.optional(DateTimeUtc),
    permissions: Schema.optional(Schema.String),
    owner: Schema.optional(Schema.String)
  },
  errors: { PathOutOfScope: failure(PathOutOfScope, "check_scope") }
})

export const search = make("filesystem.search", {
  tier: "autonomous",
  tags: ["filesystem", "read", "safe", "search", "aggregate", "inventory", "dedupe"],
  inputs: {
    path: FilesystemPath,
    pattern: GlobPattern,
    max_results: optional(positive, 100),
    include_hidden: optional(Schema.Boolean, false),
    aggregate: optional(Schema.Struct({
      group_by: Schema.Literal("extension", "dir", "mtime-bucket", "none"),
      metrics: Schema.optional(Schema.Array(Schema.Literal("count", "total_size"))),
      sort_by: Schema.optional(Schema.Literal("key", "count", "total_size", "-key", "-count", "-total_size")),
      max_groups: Schema.optional(positive),
      dedupe: Schema.optional(Schema.Boolean)
    })),
    include_hash: optional(Schema.Boolean),
    max_hash_bytes: optional(NonNegativeInteger.pipe(Schema.lessThanOrEqualTo(268_435_456)), 10_485_760)
  },
  outputs: {
    matches: Schema.optional(Schema.Array(Schema.Struct({
      path: FilesystemPath,
      size: Integer,
      modified: DateTimeUtc,
      checksum: Schema.optional(Sha256)
    }))),
    total_matches: Integer,
    truncated: Schema.Boolean,
    groups: Schema.optional(Schema.Array(Schema.Struct({
      key: Schema.String,
      count: Schema.optional(Integer),
      total_size: Schema.optional(Integer)
    }))),
    groups_truncated: Schema.optional(Schema.Boolean),
    duplicates: Schema.optional(Schema.Array(Schema.Struct({
      checksum: Sha256,
      size: Integer,
      paths: Schema.Array(FilesystemPath)
    }))),
    large_files_skipped: Schema.optional(Integer)
  },
  errors: {
    PathOutOfScope: failure(PathOutOfScope, "check_scope"),
    DirectoryNotFound: failure(DirectoryNotFound, "list"),
    InvalidPattern: failure(InvalidPattern, "simplify")
  }
})

export const searchContent = make("filesystem.search_content", {
  version: "1.1",
  tier: "notify",
  tags: ["filesystem", "search", "read", "code", "aggregate"],
  inputs: {
    path: FilesystemPath,
    pattern: Schema.String,
    regex: optional(Schema.Boolean, false),
    include_glob: optional(GlobPattern),
    max_results: optional(positive, 100),
    context_lines: optional(NonNegativeInteger, 2),
    files_only: optional(Schema.Boolean, false),
    count_by: optional(Schema.String),
    total_only: optional(Schema.Boolean, false)
  },
  outputs: {
    matches: Schema.optional(Schema.Array(Schema.Struct({
      path: FilesystemPath,
      line: Integer,
      column: Integer,
      text: Schema.String,
      enclosing_snippet: Schema.String
    }))),
    files: Schema.optional(Schema.Array(Schema.Struct({ path: FilesystemPath, match_count: Integer }))),
    counts: Schema.optional(Schema.Record({ key: Schema.String, value: Integer })),
    total: Integer,
    truncated: Schema.Boolean
  },
  errors: {
    PathOutOfScope: failure(PathOutOfScope, "check_scope"),
    DirectoryNotFound: failure(DirectoryNotFound, "list"),
    InvalidPattern: failure(InvalidPattern, "simplify")
  }
})

export const copy = make("filesystem.copy", {
  tier: "notify",
  tags: ["filesystem", "write", "modifying"],
  inputs: { source: FilesystemPath, destination: FilesystemPath, overwrite: optional(Schema.Boolean, false) },
  outputs: { source: FilesystemPath, destination: FilesystemPath, size: Integer, checksum: Sha256 },
  errors: {
    PathOutOfScope: failure(PathOutOfScope, "check_scope"),
    FileNotFound: failure(FileNotFound, "search"),
    DestinationExists: failure(DestinationExists, "overwrite")
  },
  sideEffects: ["reversible"]
})

export const move = make("filesystem.move", {
  tier: "notify",
  tags: ["filesystem", "write", "modifying"],
  inputs: { source: FilesystemPath, destination: FilesystemPath, overwrite: optional(Schema.Boolean, false) },
  outputs: { source: FilesystemPath, destination: FilesystemPath, size: Integer },
  errors: {
    PathOutOfScope: failure(PathOutOfScope, "check_scope"),
    FileNotFound: failure(FileNotFound, "search"),
    DestinationExists: failure(DestinationExists, "overwrite")
  },
  sideEffects: ["reversible"]
})

export const watch = make("filesystem.watch", {
  tier: "autonomous",
  tags: ["filesystem", "read", "safe", "events", "realtime"],
  inputs: {
    path: FilesystemPath,
    recursive: optional(Schema.Boolean, false),
    event_types: optional(Schema.Array(Schema.Literal("create", "modify", "delete", "rename"))),
    pattern: optional(GlobPattern)
  },
  outputs: { watch_id: Schema.String, path: FilesystemPath, recursive: Schema.Boolean },
  errors: {
    PathOutOfScope: failure(PathOutOfScope, "check_scope"),
    DirectoryNotFound: failure(DirectoryNotFound, "list"),
    TooManyWatches: failure(TooManyWatches, "reduce_scope", "cancel_existing")
  },
  sideEffects: ["reversible"]
})

export const append = make("filesystem.append", {
  tier: "notify",
  tags: ["filesystem", "write", "modifying", "append"],
  inputs: { path: FilesystemPath, content: Schema.String },
  outputs: { path: FilesystemPath, new_size: Integer },
  errors: {
    PathOutOfScope: failure(PathOutOfScope, "check_scope"),
    DiskFull: failure(DiskFull, "check_quota")
  },
  sideEffects: ["not reversible"]
})
