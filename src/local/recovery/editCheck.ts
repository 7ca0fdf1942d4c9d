import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as filesystem from "../../catalogue/filesystem.js"
import { ServiceUnavailable } from "../../errors/general.js"
import { applyEdit } from "../capabilities/filesystem/applyEdit.js"
import { planOf, substitutionOf } from "../capabilities/filesystem/edit.js"
import { planFile, type PlannedFile } from "../capabilities/filesystem/editPlan.js"
import { diskAsResource, parentAsInput } from "../capabilities/filesystem/failures.js"
import type { Workspace } from "../workspace/Workspace.js"
import * as EffectCheck from "./EffectCheck.js"
import { Evidence, isContent, isSame, lookInto } from "./evidence.js"

const File = Schema.Struct({
  path: Schema.String,
  was: Evidence,
  becomes: Schema.Struct({ size: Schema.Number, sha256: Schema.String }),
  replacements: Schema.Number
})
type File = typeof File.Type

const State = Schema.Struct({
  files: Schema.Array(File),
  skipped: Schema.Array(Schema.Struct({ path: Schema.String, reason: Schema.String })),
  replacements: Schema.Number
})
type State = typeof State.Type

type Input = Parameters<typeof planOf>[0]

const mostFiles = 256

// Of an edit nothing but digests is kept while it runs.
const noDiff = "[the gateway was stopped before the diff was kept]\n"

const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

const seen = (workspace: Workspace, { bytes, checksum, path, replacements }: PlannedFile) =>
  Effect.gen(function*() {
    const was = yield* lookInto(workspace, path)
    if (was.type !== "file" || was.sha256 !== checksum) {
      return yield* new EffectCheck.CannotCheck({ message: `${path.display} changes while the edit is worked out` })
    }
    return { path: path.display, was, becomes: { size: bytes.length, sha256: digestOf(bytes) }, replacements }
  })

const outputOf = ({ files, replacements, skipped }: State) => ({
  applied: "full",
  total_replacements: replacements,
  files_changed: files.length,
  per_file: files.map(({ path, replacements }) => ({ path, replacements })),
  skipped,
  diff: noDiff
})

const changed = ({ path }: { readonly path: string }) =>
  new ServiceUnavailable({
    message: `${path} was changed before the edit could be finished, which stays as far as it had come`,
    service: "filesystem",
    reason: "somebody else changed the file",
    retryable: false
  })

/** Edits those files that were not reached, as it had been worked out or not at all. */
const finish = (input: Input, workspace: Workspace, known: State, left: ReadonlyArray<File>) =>
  Effect.gen(function*() {
    const substitution = yield* substitutionOf(input)
    const plans = yield* Effect.forEach(left, (file) =>
      Effect.gen(function*() {
        const planned = yield* planFile(yield* workspace.resolve(file.path), workspace, substitution)
        return planned.type === "changed" && digestOf(planned.file.bytes) === file.becomes.sha256
          ? planned.file
          : yield* changed(file)
      }))
    const { skipped: [skipped] } = yield* applyEdit(workspace, plans)
    return skipped === undefined ? outputOf(known) : yield* changed(skipped)
  }).pipe(Effect.catchTags({ ParentNotFound: parentAsInput("path"), DiskFull: diskAsResource }))

/** An edit writes its files one after the other, each in one step. Of more than 256 files it cannot be told. */
export const editCheck = EffectCheck.make(filesystem.edit, State, {
  paths: ({ path }) => [path],
  isSlow: true,
  before: (input, { workspace }) =>
    Effect.gen(function*() {
      if (input.dry_run) return { files: [], skipped: [], replacements: 0 }
      const { files, replacements, skipped } = yield* planOf(input, workspace, yield* substitutionOf(input))
      if (Math.max(files.length, skipped.length) > mostFiles) {
        return yield* new EffectCheck.CannotCheck({ message: `The edit is of more than ${mostFiles} files` })
      }
      return { files: yield* Effect.forEach(files, (file) => seen(workspace, file)), skipped, replacements }
    }),
  after: (input, known, { workspace }) =>
    Effect.gen(function*() {
      const left: Array<File> = []
      for (const file of known.files) {
        const now = yield* lookInto(workspace, yield* workspace.resolve(file.path))
        if (isSame(now, file.was)) left.push(file)
        else if (!isContent(now, file.becomes)) {
          return EffectCheck.unknown(`${file.path} is neither as it was nor as it would be: somebody else changed it`)
        }
      }
      if (left.length === known.files.length) return EffectCheck.notDone
      return left.length === 0
        ? EffectCheck.done(outputOf(known))
        : { _tag: "PartlyDone", finish: finish(input, workspace, known, left) }
    })
})
