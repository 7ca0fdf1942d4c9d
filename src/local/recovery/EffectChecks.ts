import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Trash } from "../store/Trash.js"
import { appendCheck } from "./appendCheck.js"
import { copyCheck } from "./copyCheck.js"
import { deleteCheck } from "./deleteCheck.js"
import { editCheck } from "./editCheck.js"
import type { EffectCheck } from "./EffectCheck.js"
import { moveCheck } from "./moveCheck.js"
import { restoreCheck } from "./restoreCheck.js"
import * as Turns from "./Turns.js"
import { writeCheck } from "./writeCheck.js"

/** The checks of those capabilities whose effect can be told after a crash, by their names. */
export class EffectChecks
  extends Context.Tag("kruxos/local/recovery/EffectChecks")<EffectChecks, ReadonlyMap<string, EffectCheck>>()
{}

const make = Effect.map(Trash, (trash) => {
  const turns = Turns.make()
  const checks = [writeCheck, appendCheck, editCheck, copyCheck, moveCheck, deleteCheck(trash), restoreCheck(trash)]
  return new Map(checks.map((check) => check(turns)))
})

/** The checks of `filesystem.*`. */
export const layer: Layer.Layer<EffectChecks, never, Trash> = Layer.effect(EffectChecks, make)
