import * as Effect from "effect/Effect"
import type { DiskFull, FileNotFound, ParentNotFound } from "../../../errors/filesystem.js"
import type { PathFailure, Workspace } from "../../workspace/Workspace.js"
import type { PlannedFile, Skipped } from "./editPlan.js"

type WriteFailure = PathFailure | FileNotFound | ParentNotFound | DiskFull

/** What became of a plan. */
export interface AppliedEdit {
  readonly written: ReadonlyArray<PlannedFile>
  readonly skipped: ReadonlyArray<Skipped>
}

const changedMeanwhile = "changed while the edit was worked out"

/** Undefined where the file was written, else why it was not. */
const writeFile = (
  workspace: Workspace,
  { bytes, checksum, path }: PlannedFile
): Effect.Effect<string | undefined, WriteFailure> =>
  Effect.gen(function*() {
    const now = yield* workspace.read(path, { limit: 0 })
    if (now.checksum !== checksum) return changedMeanwhile
    yield* workspace.write(path, bytes, { createParents: false })
    return undefined
  })

/**
 * Writes the planned files one by one, each in one step. A file that cannot be written, or that somebody changed since
 * it was read, is skipped; where the first failure comes before anything is written, the whole fails with it. Not
 * interruptible, so that a cancelled edit has written either all of its files or none.
 */
export const applyEdit = (
  workspace: Workspace,
  files: ReadonlyArray<PlannedFile>
): Effect.Effect<AppliedEdit, WriteFailure> =>
  Effect.uninterruptible(Effect.gen(function*() {
    const written: Array<PlannedFile> = []
    const skipped: Array<Skipped> = []
    for (const file of files) {
      const writing = writeFile(workspace, file)
      const reason = written.length === 0
        ? yield* writing
        : yield* Effect.catchAll(writing, ({ message }) => Effect.succeed(message))
      if (reason === undefined) written.push(file)
      else skipped.push({ path: file.path.display, reason })
    }
    return { written, skipped }
  }))
