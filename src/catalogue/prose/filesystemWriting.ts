import type { BuiltIn } from "../builtIn.js"
import type { ProsesOf } from "../Prose.js"

const pathOutOfScope = "The path leads out of the workspace, by itself or through a symbolic link."

const diskFull = "There is no room for the file; what was there is unchanged."

/** The words of what changes files. */
export const writing = {
  "filesystem.write": {
    purpose: "Creates a file, or replaces its whole content in one step.",
    whenToUse:
      "Use it for new files and full rewrites. To change parts of a file take filesystem.edit, which sends less " +
      "and loses nothing; to add to the end filesystem.append.",
    inputs: {
      path: "The file: /workspace/…, or relative to the workspace. What is there is replaced.",
      content: "The whole content, as text or as base64 with the encoding \"binary\".",
      encoding: "How the text becomes bytes; \"binary\" takes the content as base64.",
      create_parents: "Whether missing directories on the way are made."
    },
    outputs: {
      path: "The file, as /workspace/….",
      size: "Its size in bytes.",
      checksum: "The SHA-256 of what was written, in hexadecimal."
    },
    errors: {
      PathOutOfScope: pathOutOfScope,
      ParentNotFound: "The directory that the file belongs in does not exist, and create_parents is not set.",
      DiskFull: diskFull
    },
    sideEffects: ["The file holds the new content in place of the old."],
    commonPatterns: [
      {
        description: "Put a file into a directory that may not exist",
        steps: ["filesystem.write with create_parents true"]
      },
      {
        description: "Write several files as one",
        steps: ["Begin a transaction", "filesystem.write for each file", "Commit, or roll back if one fails"]
      }
    ]
  },
  "filesystem.append": {
    purpose: "Adds text to the end of a file, and creates the file if it is missing.",
    whenToUse:
      "Use it for logs and for results that grow. It adds no line break: end the content with one. Do not repeat " +
      "it after an unclear outcome without reading the file, or the text is there twice.",
    inputs: {
      path: "The file: /workspace/…, or relative to the workspace.",
      content: "The text to add."
    },
    outputs: { path: "The file, as /workspace/….", new_size: "Its size in bytes, with what was added." },
    errors: { PathOutOfScope: pathOutOfScope, DiskFull: diskFull },
    sideEffects: ["The file has grown by the content."],
    commonPatterns: [{
      description: "Keep a log",
      steps: ["filesystem.append of one line that ends with a line break, for each event"]
    }]
  },
  "filesystem.edit": {
    purpose: "Replaces text in a file, or in all files of a tree that match a glob, and shows the difference.",
    whenToUse:
      "Use it for every change of existing text, small or across many files. Say how many replacements you expect: " +
      "if the number differs, nothing is written. For a new file or a full rewrite take filesystem.write.",
    inputs: {
      path: "The file; with include_glob, the directory to work in.",
      pattern: "The text to replace, taken literally unless regex is set.",
      replace: "What to put in its place; with regex, ${1} is the first group.",
      include_glob: "Edits all files below the path that match this glob; left out, path is one file.",
      regex: "Whether the pattern is a regular expression.",
      expected_replacements:
        "The exact number of replacements. Give either this or replace_all, never both or neither.",
      replace_all: "Replaces every occurrence, however many. Give either this or expected_replacements.",
      dry_run: "Shows the difference and writes nothing.",
      include_all: "Whether files that are ignored (.gitignore, dependencies, build output) are edited too."
    },
    outputs: {
      applied: "full when all was written, preview with dry_run, partial when some files could not be.",
      total_replacements: "How many replacements there are in all files.",
      files_changed: "How many files they are in.",
      per_file: "The files that change, with the number of replacements in each.",
      skipped: "Files that were passed over, and why: binary or too large.",
      diff: "The change as a unified diff."
    },
    errors: {
      PathOutOfScope: pathOutOfScope,
      FileNotFound: "There is nothing at the path.",
      ReplacementCountMismatch: "The pattern occurs more or less often than expected; nothing was written.",
      InvalidPattern: "The regular expression or the glob cannot be understood.",
      InvalidInput: "The arguments do not go together, such as expected_replacements with replace_all, or neither."
    },
    sideEffects: ["The files hold the replaced text."],
    commonPatterns: [
      {
        description: "Change one place safely",
        steps: [
          "filesystem.read for the exact text",
          "filesystem.edit with enough of it around the change to be unique, and expected_replacements 1"
        ]
      },
      {
        description: "Change many files",
        steps: [
          "filesystem.edit with include_glob, replace_all and dry_run, and read the diff",
          "The same without dry_run"
        ]
      }
    ]
  },
  "filesystem.copy": {
    purpose: "Copies a file to another path.",
    whenToUse:
      "Use it for a second version, such as one to keep before a risky edit. It copies files only, no directories. " +
      "When the original is not needed any more, take filesystem.move.",
    inputs: {
      source: "The file to copy.",
      destination: "The path of the copy, with its file name.",
      overwrite: "Whether a file at the destination is replaced."
    },
    outputs: {
      source: "The file that was copied, as /workspace/….",
      destination: "The copy, as /workspace/….",
      size: "The size of the copy in bytes.",
      checksum: "The SHA-256 of the copy, in hexadecimal."
    },
    errors: {
      PathOutOfScope: "The source or the destination leads out of the workspace, by itself or through a symbolic link.",
      FileNotFound: "There is no file at the source.",
      DestinationExists: "There is something at the destination, and overwrite is not set."
    },
    sideEffects: ["The destination holds the copy."],
    commonPatterns: [{
      description: "Keep a version before changing a file",
      steps: ["filesystem.copy to the same path with .bak", "filesystem.edit"]
    }]
  },
  "filesystem.move": {
    purpose: "Moves a file to another path, or renames it.",
    whenToUse: "Use it to put files in order. To keep the original take filesystem.copy; to put a file away for good " +
      "filesystem.delete.",
    inputs: {
      source: "What to move.",
      destination: "Its new path, with its name.",
      overwrite: "Whether a file at the destination is replaced."
    },
    outputs: {
      source: "The path before, as /workspace/….",
      destination: "The path now, as /workspace/….",
      size: "The size in bytes."
    },
    errors: {
      PathOutOfScope: "The source or the destination leads out of the workspace, by itself or through a symbolic link.",
      FileNotFound: "There is nothing at the source.",
      DestinationExists: "There is something at the destination, and overwrite is not set."
    },
    sideEffects: ["It is at the destination and no longer at the source."],
    commonPatterns: [{
      description: "Publish a finished file at once",
      steps: ["filesystem.write to a temporary name beside it", "filesystem.move to the real name with overwrite true"]
    }]
  },
  "filesystem.delete": {
    purpose: "Moves a file or an empty directory to the trash, where it stays for 24 hours.",
    whenToUse:
      "Use it only for what is certainly not needed. Within 24 hours filesystem.restore brings it back, with the " +
      "trash_path of the answer. A directory has to be emptied first.",
    inputs: { path: "The file or the empty directory: /workspace/…, or relative to the workspace." },
    outputs: {
      deleted_path: "What was deleted, as /workspace/….",
      trash_path: "Where it is in the trash; keep it for filesystem.restore.",
      recoverable_until: "Until when it can be restored."
    },
    errors: {
      PathOutOfScope: pathOutOfScope,
      FileNotFound: "There is nothing at the path.",
      DirectoryNotEmpty: "The directory still holds something, perhaps only hidden files."
    },
    sideEffects: ["It is in the trash, and gone for good after 24 hours."],
    commonPatterns: [{
      description: "Delete a directory with its files",
      steps: [
        "filesystem.list with include_hidden true",
        "filesystem.delete of each entry, the innermost first",
        "filesystem.delete of the directory"
      ]
    }]
  },
  "filesystem.restore": {
    purpose: "Brings something deleted back from the trash to where it was.",
    whenToUse:
      "Use it to undo filesystem.delete, within 24 hours. For the content before an edit or a write it is no help.",
    inputs: {
      trash_path: "The trash_path that filesystem.delete gave.",
      overwrite: "Whether what is now at the old path is replaced."
    },
    outputs: {
      restored_path: "Where it is again, as /workspace/….",
      trash_path: "Where it was in the trash."
    },
    errors: {
      PathOutOfScope: "The path is none of your trash.",
      TrashEntryNotFound: "The trash holds nothing under this path: it was restored already, or the 24 hours are over.",
      DestinationExists: "There is something new at the old path, and overwrite is not set."
    },
    sideEffects: ["It is back at its old path and no longer in the trash."],
    commonPatterns: [{
      description: "Undo a deletion",
      steps: ["filesystem.restore with the trash_path of the deletion", "filesystem.stat of restored_path"]
    }]
  }
} satisfies Partial<ProsesOf<BuiltIn, "filesystem">>
