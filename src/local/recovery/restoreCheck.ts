import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as filesystem from "../../catalogue/filesystem.js"
import type { TrashService } from "../store/Trash.js"
import { trashNameOf, trashPathOf } from "../workspace/pathForm.js"
import * as EffectCheck from "./EffectCheck.js"
import { changedMeanwhile, Evidence, glanceAt, isSame } from "./evidence.js"
import { isInTrash, originOf } from "./trashEvidence.js"

/** What is restored, none where the handler is going to find nothing, and what is at its place. */
const State = Schema.OptionFromNullOr(Schema.Struct({
  name: Schema.String,
  path: Schema.String,
  kind: Schema.Literal("file", "directory"),
  size: Schema.Number,
  target: Evidence
}))

/**
 * A restore gives what is in the trash its place back, and then takes its name in the trash away. With `overwrite` it deletes
 * what is in the way before, as `filesystem.delete` does. As long as the entry is in the trash, and at its place is what was
 * there or nothing, it can be run again. What cannot be told is a place that has changed while the entry is in the trash: it
 * might be the entry's second name, or somebody else's file.
 */
export const restoreCheck = (trash: TrashService) =>
  EffectCheck.make(filesystem.restore, State, {
    paths: ({ trash_path }) => [trash_path],
    further: ({ trash_path }) => originOf(trash, trash_path),
    before: (input, { agent, workspace }) =>
      Effect.gen(function*() {
        const name = yield* trashNameOf(input.trash_path)
        if (Option.isNone(name)) return Option.none()
        const entry = yield* trash.find(trashPathOf(name.value))
        if (Option.isNone(entry) || entry.value.agent !== agent) return Option.none()
        if (!(yield* isInTrash(workspace, name.value))) return Option.none()
        const { kind, originalPath, size } = entry.value
        const target = yield* glanceAt(workspace, yield* workspace.resolve(originalPath))
        return Option.some({ name: name.value, path: originalPath, kind, size, target })
      }),
    after: (_, known, { workspace }) =>
      Effect.gen(function*() {
        if (Option.isNone(known)) return EffectCheck.notDone
        const { kind, name, size, target } = known.value
        const path = yield* workspace.resolve(known.value.path)
        const now = yield* glanceAt(workspace, path)
        const asItWas = isSame(now, target)
        if (yield* isInTrash(workspace, name)) {
          return asItWas || now.type === "absent" ? EffectCheck.notDone : EffectCheck.unknown(changedMeanwhile(path))
        }
        const isRestored = kind === "directory"
          ? now.type === "directory"
          : now.type !== "absent" && now.type !== "directory" && now.size === size
        return isRestored && !asItWas
          ? EffectCheck.done({ restored_path: path.display, trash_path: trashPathOf(name) })
          : EffectCheck.unknown(changedMeanwhile(path))
      })
  })
