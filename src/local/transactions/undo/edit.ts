import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as filesystem from "../../../catalogue/filesystem.js"
import { ResourceExhausted } from "../../../errors/general.js"
import { withinTime } from "../../capabilities/filesystem/deadline.js"
import { planOf, substitutionOf } from "../../capabilities/filesystem/edit.js"
import type { PlannedFile } from "../../capabilities/filesystem/editPlan.js"
import { diskAsResource } from "../../capabilities/filesystem/failures.js"
import type { CheckContext } from "../../recovery/EffectCheck.js"
import type { TrashService } from "../../store/Trash.js"
import type { Workspace } from "../../workspace/Workspace.js"
import type { Undone } from "../Undo.js"
import { Left, left, undoFile, unknown } from "./givenBack.js"
import { conflict, keepFile, KeptFile, lookAt, placeOf, release } from "./keptFile.js"
import { make } from "./make.js"
import { hasContent, isUntouched } from "./sight.js"

const File = Schema.Struct({
  /** As the output says it. */
  path: Schema.String,
  file: KeptFile,
  becomes: Schema.Struct({ size: Schema.Number, sha256: Schema.String })
})
type File = typeof File.Type

/** What became of the files that are kept, and which others were edited, because they came to be in between. */
const After = Schema.Struct({ files: Schema.Array(Left), others: Schema.Array(Schema.String) })

/** The most files of one edit whose earlier contents are kept. */
const mostFiles = 4096

const tooMany = (current: number) =>
  new ResourceExhausted({
    message:
      `The edit is of ${current} files; at most ${mostFiles} can be undone at once: edit fewer of them in one step`,
    resource: "files of an edit in a transaction",
    limit: mostFiles,
    current
  })

const changing = (path: string) =>
  new ResourceExhausted({
    message: `${path} keeps changing while its content is kept: try again`,
    resource: "unchanged file"
  })

type Input = Parameters<typeof planOf>[0]

/** The files that the handler is going to write; none where it is going to refuse. */
const plannedFiles = (input: Input, workspace: Workspace): Effect.Effect<Option.Option<ReadonlyArray<PlannedFile>>> =>
  input.dry_run ? Effect.succeedSome([]) : substitutionOf(input).pipe(
    Effect.flatMap((substitution) => planOf(input, workspace, substitution)),
    withinTime,
    Effect.filterOrFail(({ replacements }) => [undefined, replacements].includes(input.expected_replacements)),
    Effect.map(({ files }) => files),
    Effect.option
  )

const keepOne = (workspace: Workspace, { bytes, checksum, path }: PlannedFile) =>
  Effect.gen(function*() {
    const place = yield* placeOf(workspace, path.display, "followed")
    if (Option.isNone(place)) return yield* changing(path.display)
    const file = yield* keepFile(workspace, place.value, { copy: false, durable: true })
    const becomes = { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }
    return { entry: { path: path.display, file, becomes }, isAsPlanned: file.was?.sha256 === checksum }
  })

const releaseAll = (trash: TrashService, context: CheckContext, files: ReadonlyArray<File>) =>
  Effect.forEach(files, ({ file }) => release(trash, context, file), { discard: true })

/** Keeps all files of a plan, or none. */
const keepAll = (trash: TrashService, context: CheckContext, planned: ReadonlyArray<PlannedFile>) =>
  Effect.suspend(() => {
    const kept: Array<File> = []
    return Effect.forEach(planned, (file) =>
      Effect.gen(function*() {
        const { entry, isAsPlanned } = yield* keepOne(context.workspace, file)
        kept.push(entry)
        if (!isAsPlanned) return yield* changing(entry.file.path)
        return entry
      })).pipe(Effect.onError(() => releaseAll(trash, context, kept)))
  })

/** What became of one file: it is as before, as the step was to leave it, or neither. */
const lookAtOne = (workspace: Workspace, { becomes, file }: File): Effect.Effect<Left> =>
  lookAt(workspace, file.path).pipe(
    Effect.map((now) => isUntouched(now, file.was) || hasContent(now, becomes) ? left(now) : unknown),
    Effect.orElseSucceed(() => unknown)
  )

/** One conflict that tells of all. */
const together = (results: ReadonlyArray<Undone>): Undone => {
  const [first, ...others] = results.flatMap((result) => result._tag === "Conflict" ? [result] : [])
  if (first === undefined) return { _tag: "Undone" }
  return others.length === 0
    ? first
    : { ...first, others: others.map(({ resource, savedAs }) => ({ resource, savedAs })) }
}

/** Every file that was edited comes back, one after the other. */
export const editUndo = (trash: TrashService) =>
  make(filesystem.edit, { before: Schema.Array(File), after: After }, {
    paths: ({ path }) => [path],
    before: (input, context) =>
      Effect.gen(function*() {
        const planned = yield* plannedFiles(input, context.workspace)
        if (Option.isNone(planned)) return Option.none()
        if (planned.value.length > mostFiles) return yield* tooMany(planned.value.length)
        return Option.some(yield* keepAll(trash, context, planned.value))
      }).pipe(Effect.catchTag("DiskFull", diskAsResource)),
    after: (files, { per_file }, { dry_run }, { workspace }) =>
      Effect.map(Effect.forEach(files, (file) => lookAtOne(workspace, file)), (lefts) => ({
        files: lefts,
        others: dry_run
          ? []
          : per_file.map(({ path }) => path).filter((path) => !files.some((file) => file.path === path))
      })),
    found: (files, _, context) =>
      Effect.gen(function*() {
        const lefts = yield* Effect.forEach(files, (file) => lookAtOne(context.workspace, file))
        const isUnchanged = files.every(({ file }, index) => {
          const became = lefts[index]
          return became?._tag === "Left" && isUntouched(became.sight, file.was)
        })
        if (isUnchanged) return { _tag: "NotDone" as const }
        const [only, ...further] = files
        // Of several, those that are the step's can be undone all the same.
        return only !== undefined && further.length === 0 && lefts[0]?._tag === "Unknown"
          ? yield* conflict(trash, context, only.file)
          : { _tag: "Done" as const, after: { files: lefts, others: [] } }
      }),
    undo: (files, became, context) =>
      Effect.map(
        Effect.forEach(
          [...files.entries()].reverse(),
          ([index, { file }]) => undoFile(trash, context, file, became.files[index] ?? unknown)
        ),
        (results) =>
          together([...results, ...became.others.map((path): Undone => ({ _tag: "Conflict", resource: path }))])
      ),
    release: (files, context) => releaseAll(trash, context, files)
  })
