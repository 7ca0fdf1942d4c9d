import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as filesystem from "../../../catalogue/filesystem.js"
import {
  type DirectoryNotFound,
  FileNotFound,
  type NotADirectory,
  ReplacementCountMismatch
} from "../../../errors/filesystem.js"
import type { InvalidInput } from "../../../errors/general.js"
import { makePacer } from "../../letOthersRun.js"
import type { PathFailure, Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import type { Handler } from "../Handler.js"
import { applyEdit } from "./applyEdit.js"
import { withinTime } from "./deadline.js"
import { type EditPlan, planEdit, planFile, planFiles } from "./editPlan.js"
import { diskAsResource } from "./failures.js"
import { makeGlob } from "./Glob.js"
import { makeReplacement } from "./replacement.js"
import type { Substitution } from "./replaceText.js"
import { lookUp, noLongerADirectory, refused } from "./searchRoot.js"
import { sourceFiles } from "./sourceFiles.js"
import { makeTextPattern } from "./TextPattern.js"

type Edit = Handler<typeof filesystem.edit>
type Input = Parameters<Edit>[0]

const noFile = (path: string): FileNotFound => new FileNotFound({ message: `There is nothing at ${path}`, path })

/** A directory that vanished is, for this capability, a path with nothing to edit. */
const asFileNotFound = ({ path }: DirectoryNotFound): Effect.Effect<never, FileNotFound> =>
  Effect.fail(noFile(path ?? "the path"))

const checkCount = ({ expected_replacements, replace_all }: Input): Effect.Effect<void, InvalidInput> =>
  (expected_replacements === undefined) === replace_all
    ? Effect.void
    : Effect.fail(refused("expected_replacements", "give either it or replace_all, and not both"))

/** What an edit puts in the place of what. */
export const substitutionOf = ({ pattern: source, regex, replace }: Input) =>
  Effect.gen(function*() {
    const pattern = yield* makeTextPattern(source, { regex })
    const replacement = yield* makeReplacement(replace, pattern, { regex })
    return { pattern, source, replacement, pacer: makePacer() }
  })

const filesToEdit = (
  directory: WorkspacePath,
  includeGlob: string,
  { include_all }: Input,
  workspace: Workspace
) =>
  Effect.map(makeGlob(includeGlob), (glob): Stream.Stream<
    WorkspacePath,
    PathFailure | DirectoryNotFound | NotADirectory
  > =>
    sourceFiles(workspace, directory, { defaultExclusions: !include_all, gitignore: !include_all }).pipe(
      Stream.filter(({ relative }) => glob.matches(relative)),
      Stream.map(({ path }) => path)
    ))

/** Works out an edit, and writes nothing. */
export const planOf = (input: Input, workspace: Workspace, substitution: Substitution) =>
  Effect.gen(function*() {
    const found = yield* lookUp(workspace, input.path)
    if (Option.isNone(found)) return yield* noFile((yield* workspace.resolve(input.path)).display)
    const { path, status } = found.value
    if (input.include_glob === undefined) {
      if (status.type === "directory") return yield* refused("include_glob", "it is needed where path is a directory")
      return yield* planEdit(Stream.make(path), (file) => planFile(file, workspace, substitution))
    }
    if (status.type === "file") return yield* refused("include_glob", "the path is a file")
    const files = yield* filesToEdit(path, input.include_glob, input, workspace)
    return yield* planEdit(files, planFiles(workspace, substitution))
  })

const mismatch = (expected: number, { replacements, skipped }: EditPlan): ReplacementCountMismatch =>
  new ReplacementCountMismatch({
    message: `The pattern occurs ${replacements} times, not ${expected}; nothing was written` +
      skipped.slice(0, 10).map(({ path, reason }) => `; ${path} was skipped: ${reason}`).join(""),
    expected,
    actual: replacements
  })

const perFile = (files: EditPlan["files"]) =>
  files.map(({ path, replacements }) => ({ path: path.display, replacements }))

const countOf = (files: EditPlan["files"]): number => files.reduce((sum, { replacements }) => sum + replacements, 0)

/**
 * `filesystem.edit`: replaces a text or what a regular expression finds, in a file, or with `include_glob` in the files
 * below a directory. Either `expected_replacements` (over all files) or `replace_all` has to be given; `replace_all`
 * without any occurrence is no error. Everything is worked out before the first file is written, at most 64 MiB in a
 * minute, and every file is written in one step. A file that cannot be written any more, or that somebody changed in
 * between, is in `skipped`, and the edit is `partial`.
 *
 * `dry_run` writes nothing and never fails with ReplacementCountMismatch, so that it can tell what the count is. The diff
 * is cut at 1 MiB. Line ends and the byte order mark stay as they are. Binary files (a NUL byte, or no valid UTF-8) and
 * files over 2 MiB are skipped. In a directory hidden files (`.git` among them), `node_modules` and what `.gitignore`
 * files name are passed over, unless `include_all`.
 */
export const edit: Edit = (input, { workspace }) =>
  Effect.gen(function*() {
    yield* checkCount(input)
    const plan = yield* substitutionOf(input).pipe(
      Effect.flatMap((substitution) => planOf(input, workspace, substitution)),
      withinTime
    )
    if (input.dry_run) {
      return {
        applied: "preview",
        total_replacements: plan.replacements,
        files_changed: plan.files.length,
        per_file: perFile(plan.files),
        skipped: plan.skipped,
        diff: plan.diff
      }
    }
    if (input.expected_replacements !== undefined && input.expected_replacements !== plan.replacements) {
      return yield* mismatch(input.expected_replacements, plan)
    }
    const { skipped, written } = yield* applyEdit(workspace, plan.files)
    return {
      applied: skipped.length === 0 ? "full" : "partial",
      total_replacements: plan.replacements - countOf(plan.files) + countOf(written),
      files_changed: written.length,
      per_file: perFile(written),
      skipped: [...plan.skipped, ...skipped],
      diff: plan.diff
    }
  }).pipe(Effect.catchTags({
    DirectoryNotFound: asFileNotFound,
    NotADirectory: noLongerADirectory,
    ParentNotFound: ({ path }) => Effect.fail(noFile(path ?? input.path)),
    DiskFull: (error) => Effect.fail(diskAsResource(error))
  }))
