import type { Reference } from "./Documented.js"

const repository = { PathOutOfScope: "check_scope", NotARepository: "clone_first" }

/** `git.*`, as documented. */
export const git: Reference = {
  "git.init": {
    tier: "notify",
    version: "1.0",
    tags: "git, vcs, write",
    inputs: { path: "FilesystemPath", default_branch: "String? = \"main\"" },
    outputs: { path: "FilesystemPath", default_branch: "String" },
    errors: { PathOutOfScope: "check_scope", DestinationExists: "use_pull, choose_path" },
    sideEffects: ["reversible"]
  },
  "git.status": {
    tier: "autonomous",
    version: "1.0",
    tags: "git, vcs, safe, read",
    inputs: { path: "FilesystemPath" },
    outputs: {
      branch: "String",
      staged: "Array",
      unstaged: "Array",
      untracked: "Array",
      conflicted: "Array",
      upstream: "String",
      ahead: "Integer",
      behind: "Integer",
      state: "String"
    },
    errors: repository
  },
  "git.clone": {
    tier: "notify",
    version: "1.0",
    tags: "git, vcs, egress",
    inputs: { url: "URL", path: "FilesystemPath", branch: "String?", depth: "Integer?" },
    outputs: { path: "FilesystemPath", default_branch: "String", head_commit: "String" },
    errors: {
      PathOutOfScope: "check_scope",
      CloneFailed: "check_url, check_auth",
      DestinationExists: "use_pull, choose_path"
    },
    sideEffects: ["reversible"]
  },
  "git.pull": {
    tier: "notify",
    version: "1.0",
    tags: "git, vcs, egress",
    inputs: { path: "FilesystemPath", remote: "String? = \"origin\"", branch: "String?" },
    outputs: { new_commits: "Integer", files_changed: "Integer", head_commit: "String", up_to_date: "Boolean" },
    errors: { ...repository, MergeConflict: "check_diff", PullFailed: "retry, check_auth" },
    sideEffects: ["reversible"]
  },
  "git.push": {
    tier: "approval_required",
    version: "1.0",
    tags: "git, vcs, egress, destructive",
    inputs: { path: "FilesystemPath", remote: "String? = \"origin\"", branch: "String?" },
    outputs: { pushed_refs: "Array", head_commit: "String" },
    errors: { ...repository, PushRejected: "pull_first", PushFailed: "retry, check_auth" },
    sideEffects: ["not reversible"]
  },
  "git.commit": {
    tier: "notify",
    version: "1.0",
    tags: "git, vcs, write",
    inputs: {
      path: "FilesystemPath",
      message: "String",
      files: "Array?",
      author_name: "String?",
      author_email: "String?"
    },
    outputs: { commit_hash: "String", files_committed: "Integer", branch: "String" },
    errors: { ...repository, NothingToCommit: "check_status", CommitFailed: "check_config" },
    sideEffects: ["reversible"]
  },
  "git.diff": {
    tier: "autonomous",
    version: "1.0",
    tags: "git, vcs, safe, read",
    inputs: { path: "FilesystemPath", cached: "Boolean? = false", commit: "String?" },
    outputs: { changes: "Array", total_additions: "Integer", total_deletions: "Integer", files_changed: "Integer" },
    errors: { ...repository, CommitNotFound: "check_log" }
  },
  "git.log": {
    tier: "autonomous",
    version: "1.0",
    tags: "git, vcs, safe, read",
    inputs: {
      path: "FilesystemPath",
      limit: "Integer? = 20",
      branch: "String?",
      since: "DateTime?",
      author: "String?"
    },
    outputs: { commits: "Array", total_returned: "Integer", branch: "String" },
    errors: { ...repository, BranchNotFound: "list_branches" }
  },
  "git.branch": {
    tier: "notify",
    version: "1.0",
    tags: "git, vcs, branch",
    inputs: { path: "FilesystemPath", action: "String", name: "String?", start_point: "String?" },
    outputs: { branches: "Array", current_branch: "String" },
    errors: {
      ...repository,
      BranchNotFound: "list_branches",
      BranchAlreadyExists: "switch, choose_name",
      InvalidAction: "use_valid_action"
    },
    sideEffects: ["reversible"]
  }
}
