import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { isTemporaryName } from "../workspace/publish.js"
import type { WalkedFile, Workspace } from "../workspace/Workspace.js"

const nameOf = ({ path: { segments } }: WalkedFile): string => segments.at(-1) ?? ""

/**
 * Deletes the temporary files that killed gateways left in a workspace, and returns how many there were. One that was written
 * within the last hour (or `olderThan`) stays: it may be another gateway's that is at work. A file that cannot be deleted is
 * left, and said in the log. To be run at the start, aside; it looks at every directory.
 */
export const sweepTemporaries = (
  workspace: Workspace,
  { olderThan = Duration.hours(1) }: { readonly olderThan?: Duration.DurationInput } = {}
): Effect.Effect<number> =>
  Effect.gen(function*() {
    const root = yield* workspace.resolve(".")
    const latest = DateTime.subtractDuration(yield* DateTime.now, olderThan)
    const drop = (file: WalkedFile) =>
      // Under its own name, which nothing else in the trash can have.
      Effect.zipRight(workspace.moveToTrash(file.path, nameOf(file)), workspace.dropFromTrash(nameOf(file))).pipe(
        Effect.as(1),
        Effect.catchAll(({ message }) => Effect.as(Effect.logWarning(`A temporary file stays: ${message}`), 0))
      )
    return yield* workspace.walk(root, { includeHidden: true }).pipe(
      Stream.filter((file) => isTemporaryName(nameOf(file)) && DateTime.lessThanOrEqualTo(file.modified, latest)),
      Stream.mapEffect(drop),
      Stream.runFold(0, (count, dropped) => count + dropped)
    )
  }).pipe(
    Effect.catchAll(({ message }) => Effect.as(Effect.logWarning(`Temporary files were not swept: ${message}`), 0))
  )
