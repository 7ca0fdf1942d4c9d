import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { FileNotFound, InvalidPattern } from "../../../errors/filesystem.js"
import { ResourceExhausted } from "../../../errors/general.js"
import type { PathFailure, Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import { replaceText, type Substitution } from "./replaceText.js"
import { decodeExactly, encodeExactly, readTextBytes } from "./textFile.js"
import { unifiedDiff } from "./unifiedDiff.js"

/** A file that was left as it is, and why. */
export interface Skipped {
  readonly path: string
  readonly reason: string
}

/** A file that is to be written. */
export interface PlannedFile {
  readonly path: WorkspacePath
  readonly bytes: Uint8Array
  readonly replacements: number
  /** The digest of the file that the new bytes were made from. */
  readonly checksum: string
}

/** Everything that an edit is going to do. */
export interface EditPlan {
  readonly files: ReadonlyArray<PlannedFile>
  readonly skipped: ReadonlyArray<Skipped>
  readonly replacements: number
  readonly diff: string
}

const maximumPlannedBytes = 64 * 1024 * 1024
const maximumDiff = 1024 * 1024
const cutMark = "[diff truncated]\n"

const tooMuch = () =>
  new ResourceExhausted({
    message: `The edited files would have more than ${maximumPlannedBytes} bytes: edit fewer of them at once`,
    resource: "bytes of edited files",
    limit: maximumPlannedBytes
  })

const cutAtLine = (diff: string): string => diff.slice(0, diff.lastIndexOf("\n", maximumDiff - 1) + 1) + cutMark

type Planned =
  | { readonly type: "changed"; readonly file: PlannedFile; readonly diff: () => string }
  | { readonly type: "unchanged"; readonly replacements: number }
  | { readonly type: "skipped"; readonly reason: string }

/** Works out the edit of one file. */
export const planFile = (
  path: WorkspacePath,
  workspace: Workspace,
  substitution: Substitution
): Effect.Effect<Planned, PathFailure | FileNotFound | InvalidPattern> =>
  Effect.gen(function*() {
    const read = yield* readTextBytes(workspace, path)
    if (Either.isLeft(read)) return { type: "skipped", reason: read.left }
    const decoded = decodeExactly(read.right.bytes)
    if (Either.isLeft(decoded)) return { type: "skipped", reason: decoded.left }
    const { hasByteOrderMark, text: oldText } = decoded.right
    const { spans, text } = yield* replaceText(oldText, path.display, substitution)
    if (text === oldText) return { type: "unchanged", replacements: spans.length }
    return {
      type: "changed",
      file: {
        path,
        bytes: encodeExactly({ text, hasByteOrderMark }),
        replacements: spans.length,
        checksum: read.right.checksum
      },
      diff: () => unifiedDiff(path.segments.join("/"), oldText, text, spans)
    }
  })

/** Works out the edit of several files. Those that are gone by now are passed over, those that may not be read skipped. */
export const planFiles = (
  workspace: Workspace,
  substitution: Substitution
) =>
(path: WorkspacePath): Effect.Effect<Planned, PathFailure | InvalidPattern> =>
  Effect.catchTags(planFile(path, workspace, substitution), {
    FileNotFound: () => Effect.succeed<Planned>({ type: "unchanged", replacements: 0 }),
    PermissionDenied: () => Effect.succeed<Planned>({ type: "skipped", reason: "not readable" })
  })

/** Puts the edits of files together, as long as they fit into memory; the diff is cut at 1 MiB. */
export const planEdit = <E, E2>(
  paths: Stream.Stream<WorkspacePath, E>,
  plan: (path: WorkspacePath) => Effect.Effect<Planned, E2>
): Effect.Effect<EditPlan, E | E2 | ResourceExhausted> =>
  Effect.gen(function*() {
    const files: Array<PlannedFile> = []
    const skipped: Array<Skipped> = []
    let bytes = 0
    let replacements = 0
    let diff = ""
    yield* Stream.runForEach(paths, (path) =>
      Effect.gen(function*() {
        const planned = yield* plan(path)
        switch (planned.type) {
          case "skipped":
            skipped.push({ path: path.display, reason: planned.reason })
            break
          case "unchanged":
            replacements += planned.replacements
            break
          case "changed":
            replacements += planned.file.replacements
            bytes += planned.file.bytes.length
            if (bytes > maximumPlannedBytes) return yield* tooMuch()
            files.push(planned.file)
            if (diff.length <= maximumDiff) diff += planned.diff()
        }
      }))
    return { files, skipped, replacements, diff: diff.length > maximumDiff ? cutAtLine(diff) : diff }
  })
