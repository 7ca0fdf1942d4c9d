import type { Reference } from "./Documented.js"

const reads = { tier: "autonomous", version: "1.0" }

const writes = { tier: "notify", version: "1.0", sideEffects: ["reversible"] }

/** `filesystem.*`, as documented. */
export const filesystem: Reference = {
  "filesystem.read": {
    ...reads,
    tags: "filesystem, read, safe",
    inputs: { path: "FilesystemPath", encoding: "String? = \"utf-8\"", offset: "Integer?", limit: "Integer?" },
    outputs: {
      content: "String",
      size: "Integer",
      size_bytes: "Integer",
      modified: "DateTime",
      modified_at: "DateTime",
      checksum: "SHA256",
      truncated: "Boolean",
      encoding: "String"
    },
    errors: { PathOutOfScope: "check_scope, request_access", FileNotFound: "search, list", EncodingError: "try_binary" }
  },
  "filesystem.write": {
    ...writes,
    tags: "filesystem, write, modifying",
    inputs: {
      path: "FilesystemPath",
      content: "String",
      encoding: "String? = \"utf-8\"",
      create_parents: "Boolean? = false"
    },
    outputs: { path: "FilesystemPath", size: "Integer", checksum: "SHA256" },
    errors: { PathOutOfScope: "check_scope, request_access", ParentNotFound: "create_parents", DiskFull: "check_quota" }
  },
  "filesystem.edit": {
    ...writes,
    tags: "filesystem, edit, write, modifying",
    inputs: {
      path: "FilesystemPath",
      pattern: "String",
      replace: "String",
      include_glob: "GlobPattern?",
      regex: "Boolean? = false",
      expected_replacements: "Integer?",
      replace_all: "Boolean? = false",
      dry_run: "Boolean? = false",
      include_all: "Boolean? = false"
    },
    outputs: {
      applied: "String",
      total_replacements: "Integer",
      files_changed: "Integer",
      per_file: "Array",
      skipped: "Array",
      diff: "String"
    },
    errors: {
      PathOutOfScope: "check_scope",
      FileNotFound: "search",
      ReplacementCountMismatch: "preview",
      InvalidPattern: "simplify",
      InvalidInput: "fix_input"
    }
  },
  "filesystem.list": {
    ...reads,
    tags: "filesystem, read, safe, directory",
    inputs: { path: "FilesystemPath", include_hidden: "Boolean? = false", sort_by: "String? = \"name\"" },
    outputs: { entries: "Array", total: "Integer", path: "FilesystemPath" },
    errors: { PathOutOfScope: "check_scope", DirectoryNotFound: "search", NotADirectory: "read" }
  },
  "filesystem.delete": {
    ...writes,
    tier: "approval_required",
    tags: "filesystem, write, destructive",
    inputs: { path: "FilesystemPath" },
    outputs: { deleted_path: "FilesystemPath", trash_path: "FilesystemPath", recoverable_until: "DateTime" },
    errors: { PathOutOfScope: "check_scope", FileNotFound: "list", DirectoryNotEmpty: "list_contents" }
  },
  "filesystem.restore": {
    ...writes,
    tags: "filesystem, write, modifying",
    inputs: { trash_path: "FilesystemPath", overwrite: "Boolean? = false" },
    outputs: { restored_path: "FilesystemPath", trash_path: "FilesystemPath" },
    errors: { PathOutOfScope: "check_scope", TrashEntryNotFound: "list", DestinationExists: "overwrite" }
  },
  "filesystem.stat": {
    ...reads,
    tags: "filesystem, read, safe, metadata",
    inputs: { path: "FilesystemPath" },
    outputs: {
      exists: "Boolean",
      type: "String",
      size: "Integer",
      modified: "DateTime",
      created: "DateTime",
      permissions: "String",
      owner: "String"
    },
    errors: { PathOutOfScope: "check_scope" }
  },
  "filesystem.search": {
    ...reads,
    tags: "filesystem, read, safe, search, aggregate, inventory, dedupe",
    inputs: {
      path: "FilesystemPath",
      pattern: "GlobPattern",
      max_results: "Integer? = 100",
      include_hidden: "Boolean? = false",
      aggregate: "Object?",
      include_hash: "Boolean?",
      max_hash_bytes: "Integer? = 10485760"
    },
    outputs: {
      matches: "Array",
      total_matches: "Integer",
      truncated: "Boolean",
      groups: "Array",
      groups_truncated: "Boolean",
      duplicates: "Array",
      large_files_skipped: "Integer"
    },
    errors: { PathOutOfScope: "check_scope", DirectoryNotFound: "list", InvalidPattern: "simplify" }
  },
  "filesystem.search_content": {
    ...reads,
    tier: "notify",
    version: "1.1",
    tags: "filesystem, search, read, code, aggregate",
    inputs: {
      path: "FilesystemPath",
      pattern: "String",
      regex: "Boolean? = false",
      include_glob: "GlobPattern?",
      max_results: "Integer? = 100",
      context_lines: "Integer? = 2",
      files_only: "Boolean? = false",
      count_by: "String?",
      total_only: "Boolean? = false"
    },
    outputs: { matches: "Array", files: "Array", counts: "Object", total: "Integer", truncated: "Boolean" },
    errors: { PathOutOfScope: "check_scope", DirectoryNotFound: "list", InvalidPattern: "simplify" }
  },
  "filesystem.copy": {
    ...writes,
    tags: "filesystem, write, modifying",
    inputs: { source: "FilesystemPath", destination: "FilesystemPath", overwrite: "Boolean? = false" },
    outputs: { source: "FilesystemPath", destination: "FilesystemPath", size: "Integer", checksum: "SHA256" },
    errors: { PathOutOfScope: "check_scope", FileNotFound: "search", DestinationExists: "overwrite" }
  },
  "filesystem.move": {
    ...writes,
    tags: "filesystem, write, modifying",
    inputs: { source: "FilesystemPath", destination: "FilesystemPath", overwrite: "Boolean? = false" },
    outputs: { source: "FilesystemPath", destination: "FilesystemPath", size: "Integer" },
    errors: { PathOutOfScope: "check_scope", FileNotFound: "search", DestinationExists: "overwrite" }
  },
  "filesystem.watch": {
    ...reads,
    tags: "filesystem, read, safe, events, realtime",
    inputs: {
      path: "FilesystemPath",
      recursive: "Boolean? = false",
      event_types: "Array?",
      pattern: "GlobPattern?"
    },
    outputs: { watch_id: "String", path: "FilesystemPath", recursive: "Boolean" },
    errors: {
      PathOutOfScope: "check_scope",
      DirectoryNotFound: "list",
      TooManyWatches: "reduce_scope, cancel_existing"
    },
    sideEffects: ["reversible"]
  },
  "filesystem.append": {
    ...writes,
    tags: "filesystem, write, modifying, append",
    inputs: { path: "FilesystemPath", content: "String" },
    outputs: { path: "FilesystemPath", new_size: "Integer" },
    errors: { PathOutOfScope: "check_scope", DiskFull: "check_quota" },
    sideEffects: ["not reversible"]
  }
}
