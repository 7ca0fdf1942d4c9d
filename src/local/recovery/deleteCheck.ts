import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as filesystem from "../../catalogue/filesystem.js"
import type { TrashEntry, TrashService } from "../store/Trash.js"
import { trashNameOf } from "../workspace/pathForm.js"
import type { Workspace, WorkspacePath } from "../workspace/Workspace.js"
import * as EffectCheck from "./EffectCheck.js"
import { changedMeanwhile, Evidence, glanceAt, isSame } from "./evidence.js"
import { deletedSince, isInTrash } from "./trashEvidence.js"

const State = Schema.Struct({ target: Evidence, at: Schema.Number })

interface Deletion {
  readonly name: string
  readonly entry: TrashEntry
}

const nameOf = ({ trashPath }: TrashEntry): Option.Option<string> =>
  Option.flatten(Either.getRight(trashNameOf(trashPath)))

/** Takes the second name away, which the trash has for a file that is still there, and deletes the file anew. */
const finish = (workspace: Workspace, path: WorkspacePath, { name }: Deletion) =>
  Effect.zipRight(workspace.dropFromTrash(name), workspace.moveToTrash(path, name))

/**
 * A delete records what it is about to move to the trash, gives a file a second name there, and takes the first one away.
 * A record without anything in the trash says that it came no further, and does no harm.
 */
export const deleteCheck = (trash: TrashService) =>
  EffectCheck.make(filesystem.remove, State, {
    paths: ({ path }) => [path],
    before: (input, { workspace }) =>
      Effect.gen(function*() {
        const target = yield* glanceAt(workspace, yield* workspace.resolve(input.path))
        return { target, at: yield* Clock.currentTimeMillis }
      }),
    after: (input, { at, target }, { agent, workspace }) =>
      Effect.gen(function*() {
        const path = yield* workspace.resolve(input.path)
        const now = yield* glanceAt(workspace, path)
        const entries = yield* deletedSince(trash, { agent, path: path.display, since: at })
        const named = entries.flatMap((entry) => Option.toArray(Option.map(nameOf(entry), (name) => ({ name, entry }))))
        const [deletion] = yield* Effect.filter(named, ({ name }) => isInTrash(workspace, name))
        if (deletion === undefined) {
          return isSame(now, target)
            ? EffectCheck.notDone
            : EffectCheck.unknown(changedMeanwhile(path))
        }
        const { recoverableUntil, trashPath } = deletion.entry
        const output = { deleted_path: path.display, trash_path: trashPath, recoverable_until: recoverableUntil }
        if (now.type === "absent") return EffectCheck.done(output)
        // Whatever has the name now might be another file, or the very one that is in the trash, changed since.
        if (!isSame(now, target)) return EffectCheck.unknown(changedMeanwhile(path))
        return { _tag: "PartlyDone", finish: Effect.as(finish(workspace, path, deletion), output) }
      })
  })
