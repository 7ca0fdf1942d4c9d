import type { Samples } from "./Sample.js"

const hash = "9f2c1e7d0b4a8c6e5f3d2b1a09f8e7d6c5b4a392"

const path = "/workspace/site"

/** An input and an output of each capability of `git.*`, as they go over the wire. */
export const git = {
  "git.init": {
    input: { path, default_branch: "trunk" },
    output: { path, default_branch: "trunk" }
  },
  "git.clone": {
    input: { url: "https://git.example.org/team/site.git", path, branch: "next", depth: 1 },
    output: { path, default_branch: "main", head_commit: hash }
  },
  "git.status": {
    input: { path },
    output: {
      branch: null,
      staged: [{ file: "src/index.html", status: "modified" }],
      unstaged: [{ file: "src/old.html", status: "deleted" }],
      untracked: ["notes.txt"],
      conflicted: [],
      upstream: "origin/main",
      ahead: 2,
      behind: 0,
      state: "rebasing"
    }
  },
  "git.pull": {
    input: { path, remote: "upstream", branch: "main" },
    output: { new_commits: 3, files_changed: 7, head_commit: hash, up_to_date: false }
  },
  "git.push": {
    input: { path, remote: "origin", branch: "next" },
    output: { pushed_refs: ["refs/heads/next"], head_commit: hash }
  },
  "git.commit": {
    input: {
      path,
      message: "Correct the title",
      files: ["src/index.html"],
      author_name: "Ada",
      author_email: "ada@example.org"
    },
    output: { commit_hash: hash, files_committed: 1, branch: "next" }
  },
  "git.diff": {
    input: { path, cached: true, commit: "HEAD~2" },
    output: {
      changes: [{ file: "src/index.html", status: "renamed", additions: 4, deletions: 1 }],
      total_additions: 4,
      total_deletions: 1,
      files_changed: 1
    }
  },
  "git.log": {
    input: { path, limit: 500, branch: "next", since: "2025-01-31T08:00:00.000Z", author: "ada" },
    output: {
      commits: [{
        hash,
        short_hash: "9f2c1e7",
        message: "Correct the title",
        author_name: "Ada",
        author_email: "ada@example.org",
        timestamp: "2025-02-01T11:30:00.000Z"
      }],
      total_returned: 1,
      branch: "next"
    }
  },
  "git.branch": {
    input: { path, action: "create", name: "next", start_point: "main" },
    output: {
      branches: [
        { name: "main", is_current: true, is_remote: false },
        { name: "origin/main", is_current: false, is_remote: true }
      ],
      current_branch: "main"
    }
  }
} satisfies Samples
