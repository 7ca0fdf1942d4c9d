import type { Samples } from "./Sample.js"

const checksum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

const modified = "2025-01-31T08:00:00.000Z"

const path = "/workspace/notes/a.txt"

/** An input and an output of each capability of `filesystem.*`, as they go over the wire. */
export const filesystem = {
  "filesystem.read": {
    input: { path, encoding: "latin1", offset: 0, limit: 3 },
    output: {
      content: "abc",
      size: 3,
      size_bytes: 3,
      modified,
      modified_at: modified,
      checksum,
      truncated: false,
      encoding: "latin1"
    }
  },
  "filesystem.write": {
    input: { path: "notes/a.txt", content: "abc", encoding: "utf-16", create_parents: true },
    output: { path, size: 3, checksum }
  },
  "filesystem.edit": {
    input: {
      path: "/workspace/notes",
      pattern: "(a)b",
      replace: "${1}c",
      include_glob: "**/*.txt",
      regex: true,
      expected_replacements: 2,
      replace_all: true,
      dry_run: true,
      include_all: true
    },
    output: {
      applied: "preview",
      total_replacements: 2,
      files_changed: 1,
      per_file: [{ path, replacements: 2 }],
      skipped: [{ path: "/workspace/notes/b.bin", reason: "binary" }],
      diff: "--- a/notes/a.txt\n+++ b/notes/a.txt\n@@ -1 +1 @@\n-abc\n+acc\n"
    }
  },
  "filesystem.list": {
    input: { path: "/workspace", include_hidden: true, sort_by: "-modified" },
    output: {
      entries: [
        { name: "notes", type: "directory", size: 0, modified },
        { name: "a.txt", type: "symlink", size: 3, modified }
      ],
      total: 2,
      path: "/workspace"
    }
  },
  "filesystem.delete": {
    input: { path },
    output: {
      deleted_path: path,
      trash_path: "/workspace/.trash/1/a.txt",
      recoverable_until: "2025-02-01T08:00:00.000Z"
    }
  },
  "filesystem.restore": {
    input: { trash_path: "/workspace/.trash/1/a.txt", overwrite: true },
    output: { restored_path: path, trash_path: "/workspace/.trash/1/a.txt" }
  },
  "filesystem.stat": {
    input: { path },
    output: {
      exists: true,
      type: "file",
      size: 3,
      modified,
      created: "2025-01-30T17:00:00.000Z",
      permissions: "rw-r--r--",
      owner: "researcher"
    }
  },
  "filesystem.search": {
    input: {
      path: "/workspace",
      pattern: "**/*.txt",
      max_results: 5,
      include_hidden: true,
      aggregate: {
        group_by: "mtime-bucket",
        metrics: ["count", "total_size"],
        sort_by: "-total_size",
        max_groups: 3,
        dedupe: true
      },
      include_hash: true,
      max_hash_bytes: 268_435_456
    },
    output: {
      matches: [{ path, size: 3, modified, checksum }, { path: "/workspace/b.txt", size: 0, modified }],
      total_matches: 7,
      truncated: true,
      groups: [{ key: "2025-01-31", count: 2, total_size: 3 }, { key: "<other>", count: 5 }],
      groups_truncated: true,
      duplicates: [{ checksum, size: 3, paths: [path, "/workspace/c.txt"] }],
      large_files_skipped: 1
    }
  },
  "filesystem.search_content": {
    input: {
      path: "/workspace",
      pattern: "(?<word>a|b)",
      regex: true,
      include_glob: "*.txt",
      max_results: 1,
      context_lines: 0,
      files_only: true,
      count_by: "word",
      total_only: true
    },
    output: {
      matches: [{ path, line: 1, column: 2, text: "abc", enclosing_snippet: "abc\n" }],
      files: [{ path, match_count: 2 }],
      counts: { a: 1, b: 1 },
      total: 2,
      truncated: false
    }
  },
  "filesystem.copy": {
    input: { source: path, destination: "/workspace/b.txt", overwrite: true },
    output: { source: path, destination: "/workspace/b.txt", size: 3, checksum }
  },
  "filesystem.move": {
    input: { source: path, destination: "/workspace/b.txt", overwrite: true },
    output: { source: path, destination: "/workspace/b.txt", size: 3 }
  },
  "filesystem.watch": {
    input: { path: "/workspace", recursive: true, event_types: ["create", "rename"], pattern: "*.txt" },
    output: { watch_id: "watch-1", path: "/workspace", recursive: true }
  },
  "filesystem.append": {
    input: { path, content: "def" },
    output: { path, new_size: 6 }
  }
} satisfies Samples
