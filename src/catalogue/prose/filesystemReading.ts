import type { BuiltIn } from "../builtIn.js"
import type { ProsesOf } from "../Prose.js"

const pathOutOfScope = "The path leads out of the workspace, by itself or through a symbolic link."

const directoryNotFound = "There is no directory at the path."

/** The words of what looks at files and changes none. */
export const reading = {
  "filesystem.read": {
    purpose: "Reads a file of the workspace, whole or a range of its bytes, as text or as base64.",
    whenToUse: "Use it when you know the path. To find a file take filesystem.search, to find text in many files " +
      "filesystem.search_content, and for size and date alone filesystem.stat.",
    inputs: {
      path: "The file: /workspace/…, or relative to the workspace.",
      encoding: "How the bytes become text; \"binary\" gives them as base64, whatever they are.",
      offset: "The byte to start at; left out, the beginning.",
      limit: "How many bytes to read; left out, to the end."
    },
    outputs: {
      content: "The text, or base64 with the encoding \"binary\".",
      size: "The size of the whole file in bytes, also when only a range was read.",
      size_bytes: "The same as size.",
      modified: "When the file was last changed.",
      modified_at: "The same as modified.",
      checksum: "The SHA-256 of the whole file, in hexadecimal.",
      truncated: "Whether the file holds more than what was read.",
      encoding: "The encoding that was used."
    },
    errors: {
      PathOutOfScope: pathOutOfScope,
      FileNotFound: "There is no file at the path.",
      EncodingError: "The bytes are no text in this encoding: the file is binary, or encoded otherwise."
    },
    sideEffects: [],
    commonPatterns: [
      {
        description: "Read a large file in parts",
        steps: [
          "filesystem.read with limit, from offset 0",
          "While truncated, filesystem.read again with the offset moved on by limit"
        ]
      },
      {
        description: "Change a file",
        steps: ["filesystem.read to see the exact text", "filesystem.edit with that text as the pattern"]
      }
    ]
  },
  "filesystem.list": {
    purpose: "Lists the entries of one directory, with type, size and date of each.",
    whenToUse: "Use it to look around in one directory. It does not go into directories below: for a whole tree take " +
      "filesystem.search with a pattern such as **/*.",
    inputs: {
      path: "The directory; /workspace is the top.",
      include_hidden: "Whether entries whose names start with a dot are listed too.",
      sort_by: "What to sort by; a minus in front turns the order round, so -modified puts the newest first."
    },
    outputs: {
      entries: "Name, type, size in bytes and date of each entry.",
      total: "How many entries are listed.",
      path: "The directory, as /workspace/…."
    },
    errors: {
      PathOutOfScope: pathOutOfScope,
      DirectoryNotFound: directoryNotFound,
      NotADirectory: "The path is a file."
    },
    sideEffects: [],
    commonPatterns: [{
      description: "See what changed last",
      steps: ["filesystem.list with sort_by -modified", "filesystem.read of the first entries"]
    }]
  },
  "filesystem.stat": {
    purpose: "Tells whether something exists at a path, and its type, size, dates, permissions and owner.",
    whenToUse: "Use it to test for a file without failing: what is missing gives exists false and no error. For all " +
      "entries of a directory filesystem.list is cheaper.",
    inputs: { path: "The file or directory: /workspace/…, or relative to the workspace." },
    outputs: {
      exists: "Whether anything is there. When false, nothing else is given.",
      type: "file, directory or symlink.",
      size: "The size in bytes.",
      modified: "When it was last changed.",
      created: "When it was made, where the file system knows.",
      permissions: "What may be done with it, as in rw-r--r--.",
      owner: "The user that it belongs to."
    },
    errors: { PathOutOfScope: pathOutOfScope },
    sideEffects: [],
    commonPatterns: [{
      description: "Write a file only if it is new",
      steps: ["filesystem.stat of the path", "filesystem.write when exists is false"]
    }]
  },
  "filesystem.search": {
    purpose: "Finds files below a directory by a glob pattern on their paths, or counts, sums and compares them.",
    whenToUse:
      "Use it when the name or the extension is known and the place is not, and with aggregate for an overview " +
      "of a tree or for duplicate files. It does not look into files: that is filesystem.search_content.",
    inputs: {
      path: "The directory to search, with everything below it.",
      pattern: "The glob, such as **/*.ts or src/**/test_*.py.",
      max_results: "How many files to give at most.",
      include_hidden: "Whether names that start with a dot are searched too.",
      aggregate: "Gives groups in place of files: group_by says by what; metrics, sort_by and max_groups shape the " +
        "groups; dedupe finds files of equal content and needs include_hash.",
      include_hash: "Whether the SHA-256 of each file is computed.",
      max_hash_bytes: "Files of more bytes than this are not hashed."
    },
    outputs: {
      matches: "The files: path, size in bytes, date, and checksum with include_hash. Missing with aggregate.",
      total_matches: "How many files match, also those beyond max_results.",
      truncated: "Whether there are more than were given.",
      groups:
        "With aggregate, each key with its count and total_size. <none> is no extension, . the directory itself, " +
        "<other> what max_groups left over.",
      groups_truncated: "Whether groups were folded into <other>.",
      duplicates: "With dedupe, sets of files of equal content; first the set that frees most when reduced to one.",
      large_files_skipped: "How many files were too large to be hashed."
    },
    errors: {
      PathOutOfScope: pathOutOfScope,
      DirectoryNotFound: directoryNotFound,
      InvalidPattern: "The glob pattern cannot be understood."
    },
    sideEffects: [],
    commonPatterns: [
      {
        description: "Find and read a file whose place is unknown",
        steps: ["filesystem.search in /workspace with **/ and its name", "filesystem.read of the match"]
      },
      {
        description: "See what fills the workspace",
        steps: [
          "filesystem.search with pattern **/* and aggregate {group_by: \"dir\", sort_by: \"-total_size\"}",
          "The same below the largest directory, or with group_by extension"
        ]
      }
    ]
  },
  "filesystem.search_content": {
    purpose: "Finds text or a regular expression in the files below a directory, with the lines around each match.",
    whenToUse:
      "Use it to learn where something is defined or used. Take total_only or count_by when only numbers matter, " +
      "files_only when only the files do. To replace what it finds take filesystem.edit.",
    inputs: {
      path: "The directory to search, with everything below it.",
      pattern: "The text to find, taken literally unless regex is set.",
      regex: "Whether the pattern is a regular expression.",
      include_glob: "Only files whose path matches this glob.",
      max_results: "How many matches to give at most.",
      context_lines: "How many lines to give before and after each match.",
      files_only: "Gives the files and how many lines match in each, in place of the lines.",
      count_by: "Counts occurrences by what a group of the regular expression captured: its name or its number, from " +
        "1. Needs regex; goes before files_only.",
      total_only: "Gives nothing but the number of occurrences; goes before count_by and files_only."
    },
    outputs: {
      matches: "The matches, most relevant first: path, line, column, the line's text, and the snippet around it.",
      files: "With files_only, each file and the number of its lines that match.",
      counts: "With count_by, how often each captured text occurs.",
      total: "Occurrences with total_only or count_by, else lines that match.",
      truncated: "Whether there are more matches than were given."
    },
    errors: {
      PathOutOfScope: pathOutOfScope,
      DirectoryNotFound: directoryNotFound,
      InvalidPattern: "The regular expression or the glob cannot be understood, or count_by names no group of it."
    },
    sideEffects: [],
    commonPatterns: [{
      description: "Rename something in all files",
      steps: [
        "filesystem.search_content with total_only to learn how often it occurs",
        "filesystem.edit with that number as expected_replacements"
      ]
    }]
  },
  "filesystem.watch": {
    purpose: "Reports changes of files in a directory to your inbox, until the session ends.",
    whenToUse: "Use it when something else writes files that you have to react to. To look once, filesystem.list or " +
      "filesystem.search is enough.",
    inputs: {
      path: "The directory to watch.",
      recursive: "Whether directories below it are watched too.",
      event_types: "Which changes to report; left out, all of them.",
      pattern: "Only files whose path matches this glob."
    },
    outputs: {
      watch_id: "The id of the watch; its messages carry it.",
      path: "The directory that is watched.",
      recursive: "Whether directories below it are watched."
    },
    errors: {
      PathOutOfScope: pathOutOfScope,
      DirectoryNotFound: directoryNotFound,
      TooManyWatches: "The session watches as many directories as it may."
    },
    sideEffects: ["Changes in the directory come as messages until the session ends."],
    commonPatterns: [{
      description: "Process files as they arrive",
      steps: [
        "filesystem.watch with event_types [\"create\"]",
        "comms.receive from time to time, then filesystem.read of each new file"
      ]
    }]
  }
} satisfies Partial<ProsesOf<BuiltIn, "filesystem">>
