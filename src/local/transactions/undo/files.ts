import * as Effect from "effect/Effect"
import * as Turns from "../../recovery/Turns.js"
import { Trash } from "../../store/Trash.js"
import type { Undo } from "../Undo.js"
import { appendUndo } from "./append.js"
import { copyUndo } from "./copy.js"
import { downloadUndo } from "./download.js"
import { editUndo } from "./edit.js"
import { moveUndo } from "./move.js"
import { removeUndo } from "./remove.js"
import { restoreUndo } from "./restore.js"
import { writeUndo } from "./write.js"

const all = [writeUndo, appendUndo, editUndo, copyUndo, moveUndo, removeUndo, restoreUndo, downloadUndo]

/** How what changes files is undone, by the names of the capabilities. */
export const fileUndos: Effect.Effect<ReadonlyArray<readonly [string, Undo]>, never, Trash | Turns.FileTurns> = Effect
  .gen(
    function*() {
      const trash = yield* Trash
      const turns = yield* Turns.FileTurns
      return all.map((make) => make(trash)(turns))
    }
  )
