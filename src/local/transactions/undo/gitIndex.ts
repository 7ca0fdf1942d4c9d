import * as Effect from "effect/Effect"
import type { Repository } from "../../capabilities/git/Repository.js"
import type { Sight } from "../../workspace/KeptFiles.js"
import { fromSegments } from "../../workspace/pathForm.js"
import type { Workspace } from "../../workspace/Workspace.js"
import { keepFile, type KeptFile, lookAt } from "./keptFile.js"

/** Keeps the index of a repository as it is. */
export const keepIndex = ({ place, workspace }: Repository) =>
  keepFile(workspace, fromSegments([...place.segments, ".git", "index"]), { copy: true, durable: true })

/** What the index is like; null where it cannot be told. */
export const seenIndex = (workspace: Workspace, { path }: KeptFile): Effect.Effect<Sight | null> =>
  Effect.orElseSucceed(lookAt(workspace, path), () => null)

/** Gives a repository the index that was kept of it, whatever it has now. Whether that was possible. */
export const giveBackIndex = (workspace: Workspace, { kept, path, was }: KeptFile): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const place = yield* workspace.resolve(path)
    const seen = yield* workspace.kept.look(place)
    if (was === null) return seen._tag === "None" || (yield* workspace.kept.remove(place, seen.value))
    return kept !== null && (yield* workspace.kept.putBack(kept, place, seen))
  }).pipe(Effect.orElseSucceed(() => false))
