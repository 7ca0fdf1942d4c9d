import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { service } from "../inOrder.js"
import { PersistentState } from "../store/PersistentState.js"
import { SharedState } from "../store/SharedState.js"
import { Trash } from "../store/Trash.js"
import { appendCheck } from "./appendCheck.js"
import { copyCheck } from "./copyCheck.js"
import { deleteCheck } from "./deleteCheck.js"
import { editCheck } from "./editCheck.js"
import type { EffectCheck } from "./EffectCheck.js"
import { gitChecks } from "./gitChecks.js"
import { moveCheck } from "./moveCheck.js"
import { restoreCheck } from "./restoreCheck.js"
import { persistentChecks, sharedChecks } from "./stateChecks.js"
import * as Turns from "./Turns.js"
import { writeCheck } from "./writeCheck.js"

/** The checks of those capabilities whose effect can be told after a crash, by their names. */
export class EffectChecks
  extends Context.Tag("kruxos/local/recovery/EffectChecks")<EffectChecks, ReadonlyMap<string, EffectCheck>>()
{}

const make = Effect.gen(function*() {
  const trash = yield* Trash
  const turns = yield* Turns.FileTurns
  const checks = [
    writeCheck,
    appendCheck,
    editCheck,
    copyCheck,
    moveCheck,
    deleteCheck(trash),
    restoreCheck(trash),
    ...yield* gitChecks,
    ...persistentChecks(yield* PersistentState),
    ...sharedChecks(yield* SharedState)
  ]
  return new Map(checks.map((check) => check(turns)))
})

/** The checks of `filesystem.*`, `git.*` but for `git.push`, `state.persistent.*` and `state.shared.*`. */
export const layer = service(EffectChecks, make)
