import type { SqlError } from "@effect/sql/SqlError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { keptFor } from "../capabilities/filesystem/trash.js"
import type { TrashEntry, TrashService } from "../store/Trash.js"
import { fromSegments, trashNameOf, trashPathOf } from "../workspace/pathForm.js"
import type { PathFailure, Workspace } from "../workspace/Workspace.js"

/**
 * Whether the trash folder has an entry of that name. It is asked for by restoring it to where something always is, which
 * changes nothing: a missing entry is told before an occupied place.
 */
export const isInTrash = (workspace: Workspace, name: string): Effect.Effect<boolean, PathFailure> =>
  workspace.restoreFromTrash(name, fromSegments([])).pipe(
    Effect.as(true),
    Effect.catchTags({
      DestinationExists: () => Effect.succeed(true),
      FileNotFound: () => Effect.succeed(false),
      DiskFull: () => Effect.succeed(true)
    })
  )

/** What an agent began to delete at a path since a time (milliseconds since 1970), the earliest first. */
export const deletedSince = (
  trash: TrashService,
  { agent, path, since }: { readonly agent: string; readonly path: string; readonly since: number }
): Effect.Effect<ReadonlyArray<TrashEntry>, SqlError> =>
  Effect.gen(function*() {
    const now = yield* DateTime.now
    // All that there are: each is kept for that long from when it was deleted.
    const entries = yield* trash.expired(DateTime.addDuration(now, keptFor))
    return entries.filter((entry) =>
      entry.agent === agent && entry.originalPath === path && DateTime.toEpochMillis(entry.deletedAt) >= since
    )
  })

/** Where something in the trash is going to be restored to; nothing where there is no such entry. */
export const originOf = (trash: TrashService, trashPath: string): Effect.Effect<ReadonlyArray<string>> =>
  trashNameOf(trashPath).pipe(
    Effect.flatten,
    Effect.flatMap((name) => Effect.flatten(trash.find(trashPathOf(name)))),
    Effect.map(({ originalPath }) => [originalPath]),
    Effect.orElseSucceed(() => [])
  )
