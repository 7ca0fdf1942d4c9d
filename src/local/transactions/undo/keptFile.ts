import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { DiskFull } from "../../../errors/filesystem.js"
import { keptFor } from "../../capabilities/filesystem/trash.js"
import type { CheckContext } from "../../recovery/EffectCheck.js"
import type { TrashService } from "../../store/Trash.js"
import type { Sight } from "../../workspace/KeptFiles.js"
import { trashPathOf } from "../../workspace/pathForm.js"
import type { PathFailure, Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import type { Conflict } from "../Undo.js"
import { newKeptName } from "./keptNames.js"
import { journalled, JournalledSight } from "./sight.js"
import { unlessStoreFails } from "./trashEntries.js"

/** A place, what was there, and its name in the trash folder if its content is kept. No symbolic link leads to the place. */
export const KeptFile = Schema.Struct({
  path: Schema.String,
  was: JournalledSight,
  kept: Schema.NullOr(Schema.String)
})
export type KeptFile = typeof KeptFile.Type

/** Where an input leads; none where its handler is going to refuse it. */
export const placeOf = (
  workspace: Workspace,
  path: string,
  last: "itself" | "followed"
): Effect.Effect<Option.Option<WorkspacePath>> =>
  workspace.resolve(path).pipe(
    Effect.flatMap((resolved) => workspace.kept.placeOf(resolved, { last })),
    Effect.option
  )

/** Looks at a place that is in the journal. */
export const lookAt = (workspace: Workspace, path: string): Effect.Effect<Sight | null, PathFailure> =>
  workspace.resolve(path).pipe(Effect.flatMap(workspace.kept.look), Effect.map(journalled))

/** Keeps what is at a place, if that is a file or a symbolic link and `wanted` says so. */
export const keepFile = (
  workspace: Workspace,
  place: WorkspacePath,
  options: { readonly copy: boolean; readonly durable: boolean },
  wanted: (was: Sight) => boolean = () => true
): Effect.Effect<KeptFile, PathFailure | DiskFull> =>
  Effect.gen(function*() {
    const was = journalled(yield* workspace.kept.look(place))
    if (was === null || (was.type !== "file" && was.type !== "symlink") || !wanted(was)) {
      return { path: place.display, was, kept: null }
    }
    const name = yield* newKeptName(place)
    const isKept = yield* workspace.kept.keep(place, name, options)
    // Somebody may have taken it away in between.
    return isKept ? { path: place.display, was, kept: name } : { path: place.display, was: null, kept: null }
  })

const isSaved = (trash: TrashService, name: string) => Effect.map(trash.find(trashPathOf(name)), Option.isSome)

/**
 * Makes what is kept of a file an entry of the agent's trash, and says which; undefined where it is not kept, or no longer. It dies of a
 * store that fails: what is kept would be taken for saved, and deleted.
 */
export const save = (
  trash: TrashService,
  { agent, workspace }: Pick<CheckContext, "agent" | "workspace">,
  { kept, path }: Pick<KeptFile, "path" | "kept">
): Effect.Effect<string | undefined> =>
  Effect.gen(function*() {
    if (kept === null) return undefined
    const trashPath = trashPathOf(kept)
    const content = yield* workspace.kept.lookInTrash(kept)
    if (Option.isNone(content)) return undefined
    if (yield* isSaved(trash, kept)) return trashPath
    const recoverableUntil = DateTime.addDuration(yield* DateTime.now, keptFor)
    const { size } = content.value
    yield* trash.add({ trashPath, originalPath: path, agent, kind: "file", size, recoverableUntil })
    return trashPath
  }).pipe(
    unlessStoreFails,
    Effect.catchAll((failure) =>
      Effect.as(Effect.logError(`The earlier content of ${path} could not be put into the trash`, failure), undefined)
    )
  )

/** Somebody else changed a file: what is kept of it goes to the agent's trash. */
export const conflict = (
  trash: TrashService,
  context: CheckContext,
  file: Pick<KeptFile, "path" | "kept">
): Effect.Effect<Conflict> =>
  Effect.map(save(trash, context, file), (savedAs) => ({
    _tag: "Conflict",
    resource: file.path,
    ...savedAs === undefined ? {} : { savedAs }
  }))

/** Deletes what is kept of a file, unless it has become an entry of the trash. */
export const release = (
  trash: TrashService,
  { workspace }: CheckContext,
  { kept }: Pick<KeptFile, "kept">
): Effect.Effect<void> =>
  kept === null ? Effect.void : isSaved(trash, kept).pipe(
    Effect.flatMap((saved) => saved ? Effect.void : workspace.dropFromTrash(kept)),
    Effect.catchAll((failure) => Effect.logWarning(`${trashPathOf(kept)} stays until it is swept`, failure))
  )
