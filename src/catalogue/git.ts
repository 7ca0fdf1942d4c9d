import * as Schema from "effect/Schema"
import { DestinationExists, PathOutOfScope } from "../errors/filesystem.js"
import { InvalidInput } from "../errors/general.js"
import {
  BranchAlreadyExists,
  BranchNotFound,
  CloneFailed,
  CommitFailed,
  CommitNotFound,
  MergeConflict,
  NotARepository,
  NothingToCommit,
  PullFailed,
  PushFailed,
  PushRejected
} from "../errors/git.js"
import { DateTimeUtc, FilesystemPath, Integer, openEnumeration, Url } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const FileChange = openEnumeration("added", "modified", "deleted", "renamed")

const FileStatus = Schema.Struct({ file: Schema.String, status: FileChange })

const outOfScope = { PathOutOfScope: failure(PathOutOfScope, "check_scope") }

const inRepository = { ...outOfScope, NotARepository: failure(NotARepository, "clone_first") }

const newRepository = { DestinationExists: failure(DestinationExists, "use_pull", "choose_path") }

export const init = make("git.init", {
  tier: "notify",
  tags: ["git", "vcs", "write"],
  inputs: { path: FilesystemPath, default_branch: optional(Schema.String, "main") },
  outputs: { path: FilesystemPath, default_branch: Schema.String },
  errors: { ...outOfScope, ...newRepository },
  sideEffects: ["reversible"]
})

export const clone = make("git.clone", {
  tier: "notify",
  tags: ["git", "vcs", "egress"],
  inputs: {
    url: Url,
    path: FilesystemPath,
    branch: optional(Schema.String),
    depth: optional(Integer.pipe(Schema.positive()))
  },
  outputs: { path: FilesystemPath, default_branch: Schema.String, head_commit: Schema.String },
  errors: { ...outOfScope, CloneFailed: failure(CloneFailed, "check_url", "check_auth"), ...newRepository },
  sideEffects: ["reversible"]
})

export const status = make("git.status", {
  tier: "autonomous",
  tags: ["git", "vcs", "safe", "read"],
  inputs: { path: FilesystemPath },
  outputs: {
    branch: Schema.NullOr(Schema.String),
    staged: Schema.Array(FileStatus),
    unstaged: Schema.Array(FileStatus),
    untracked: Schema.Array(Schema.String),
    conflicted: Schema.Array(Schema.String),
    upstream: Schema.NullOr(Schema.String),
    ahead: Integer,
    behind: Integer,
    state: openEnumeration("clean", "dirty", "merging", "rebasing", "cherry_picking", "reverting", "bisecting")
  },
  errors: inRepository
})

export const pull = make("git.pull", {
  tier: "notify",
  tags: ["git", "vcs", "egress"],
  inputs: { path: FilesystemPath, remote: optional(Schema.String, "origin"), branch: optional(Schema.String) },
  outputs: { new_commits: Integer, files_changed: Integer, head_commit: Schema.String, up_to_date: Schema.Boolean },
  errors: {
    ...inRepository,
    MergeConflict: failure(MergeConflict, "check_diff"),
    PullFailed: failure(PullFailed, "retry", "check_auth")
  },
  sideEffects: ["reversible"]
})

export const push = make("git.push", {
  tier: "approval_required",
  tags: ["git", "vcs", "egress", "destructive"],
  inputs: { path: FilesystemPath, remote: optional(Schema.String, "origin"), branch: optional(Schema.String) },
  outputs: { pushed_refs: Schema.Array(Schema.String), head_commit: Schema.String },
  errors: {
    ...inRepository,
    PushRejected: failure(PushRejected, "pull_first"),
    PushFailed: failure(PushFailed, "retry", "check_auth")
  },
  sideEffects: ["not reversible"]
})

export const commit = make("git.commit", {
  tier: "notify",
  tags: ["git", "vcs", "write"],
  inputs: {
    path: FilesystemPath,
    message: Schema.String,
    files: optional(Schema.Array(Schema.String)),
    author_name: optional(Schema.String),
    author_email: optional(Schema.String)
  },
  outputs: { commit_hash: Schema.String, files_committed: Integer, branch: Schema.String },
  errors: {
    ...inRepository,
    NothingToCommit: failure(NothingToCommit, "check_status"),
    CommitFailed: failure(CommitFailed, "check_config")
  },
  sideEffects: ["reversible"]
})

export const diff = make("git.diff", {
  tier: "autonomous",
  tags: ["git", "vcs", "safe", "read"],
  inputs: { path: FilesystemPath, cached: optional(Schema.Boolean, false), commit: optional(Schema.String) },
  outputs: {
    changes: Schema.Array(
      Schema.Struct({ file: Schema.String, status: FileChange, additions: Integer, deletions: Integer })
    ),
    total_additions: Integer,
    total_deletions: Integer,
    files_changed: Integer
  },
  errors: { ...inRepository, CommitNotFound: failure(CommitNotFound, "check_log") }
})

export const log = make("git.log", {
  tier: "autonomous",
  tags: ["git", "vcs", "safe", "read"],
  inputs: {
    path: FilesystemPath,
    limit: optional(Integer.pipe(Schema.between(1, 500)), 20),
    branch: optional(Schema.String),
    since: optional(DateTimeUtc),
    author: optional(Schema.String)
  },
  outputs: {
    commits: Schema.Array(Schema.Struct({
      hash: Schema.String,
      short_hash: Schema.String,
      message: Schema.String,
      author_name: Schema.String,
      author_email: Schema.String,
      timestamp: DateTimeUtc
    })),
    total_returned: Integer,
    branch: Schema.String
  },
  errors: { ...inRepository, BranchNotFound: failure(BranchNotFound, "list_branches") }
})

export const branch = make("git.branch", {
  tier: "notify",
  tags: ["git", "vcs", "branch"],
  inputs: {
    path: FilesystemPath,
    action: Schema.Literal("list", "create", "switch", "delete"),
    name: optional(Schema.String),
    start_point: optional(Schema.String)
  },
  outputs: {
    branches: Schema.Array(
      Schema.Struct({ name: Schema.String, is_current: Schema.Boolean, is_remote: Schema.Boolean })
    ),
    current_branch: Schema.String
  },
  errors: {
    ...inRepository,
    BranchNotFound: failure(BranchNotFound, "list_branches"),
    BranchAlreadyExists: failure(BranchAlreadyExists, "switch", "choose_name"),
    InvalidAction: failure(InvalidInput, "use_valid_action")
  },
  sideEffects: ["reversible"]
})
