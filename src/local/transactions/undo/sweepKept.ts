import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Trash } from "../../store/Trash.js"
import { trashPathOf } from "../../workspace/pathForm.js"
import type { Workspace } from "../../workspace/Workspace.js"
import { keptSince } from "./keptNames.js"

/**
 * Deletes what killed gateways have kept of a workspace for transactions, and returns how much that was. What has been kept for less
 * than a day (or `olderThan`) stays, as does what has become an entry of the trash, and what `isNeeded` says of, by its name in the trash
 * folder, as those of open transactions are. To be run at the start, and now and then.
 */
export const sweepKept = <R>(
  workspace: Workspace,
  { isNeeded, olderThan = Duration.hours(24) }: {
    readonly isNeeded: (name: string) => Effect.Effect<boolean, SqlError, R>
    readonly olderThan?: Duration.DurationInput
  }
): Effect.Effect<number, SqlError, Trash | R> =>
  Effect.gen(function*() {
    const trash = yield* Trash
    const latest = (yield* Clock.currentTimeMillis) - Duration.toMillis(olderThan)
    const drop = (name: string) =>
      Effect.gen(function*() {
        const since = keptSince(name)
        if (since === undefined || since > latest) return false
        if (Option.isSome(yield* trash.find(trashPathOf(name))) || (yield* isNeeded(name))) return false
        yield* workspace.dropFromTrash(name)
        return true
      })
    return (yield* Effect.filter(yield* workspace.kept.names, drop)).length
  }).pipe(
    Effect.catchTags({
      PathOutOfScope: left,
      InvalidInput: left,
      PermissionDenied: left,
      ResourceExhausted: left
    })
  )

const left = ({ message }: { readonly message: string }) =>
  Effect.as(Effect.logWarning(`What transactions have kept was not swept: ${message}`), 0)
