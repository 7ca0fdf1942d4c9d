import * as Effect from "effect/Effect"
import { withSandbox } from "../../capabilities/git/GitSandbox.js"
import * as Turns from "../../recovery/Turns.js"
import { Trash } from "../../store/Trash.js"
import type { Undo } from "../Undo.js"
import { gitBranchUndo } from "./gitBranch.js"
import { gitCommitUndo } from "./gitCommit.js"
import { gitCloneUndo, gitInitUndo } from "./gitNew.js"
import { gitPullUndo } from "./gitPull.js"

/** How `git.*` is undone, by the names of the capabilities; what was pushed is not. */
export const gitUndos: Effect.Effect<ReadonlyArray<readonly [string, Undo]>, never, Trash | Turns.FileTurns> = Effect
  .gen(
    function*() {
      const trash = yield* Trash
      const turns = yield* Turns.FileTurns
      const inSandbox = yield* withSandbox
      const walled = ({ after, before, found, undo, ...others }: Undo): Undo => ({
        ...others,
        before: (...given) => inSandbox(before(...given)),
        after: (...given) => inSandbox(after(...given)),
        found: (...given) => inSandbox(found(...given)),
        undo: (...given) => inSandbox(undo(...given))
      })
      return [gitInitUndo, gitCloneUndo, gitBranchUndo, gitCommitUndo(trash), gitPullUndo(trash)].map((make) => {
        const [name, undo] = make(turns)
        return [name, walled(undo)] as const
      })
    }
  )
