import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Turns from "../recovery/Turns.js"
import { SessionStates } from "../state/SessionStates.js"
import { Inbox } from "../store/Inbox.js"
import type { Trash } from "../store/Trash.js"
import type { Undo } from "./Undo.js"
import { fileUndos } from "./undo/files.js"
import { receiveUndos } from "./undo/receive.js"
import { sessionStateUndos } from "./undo/sessionState.js"

/** How those capabilities are undone that can be, by their names. */
export class Undos extends Context.Tag("kruxos/local/transactions/Undos")<Undos, ReadonlyMap<string, Undo>>() {}

const make = Effect.gen(function*() {
  return new Map([
    ...yield* fileUndos,
    ...sessionStateUndos(yield* SessionStates),
    ...receiveUndos(yield* Inbox)
  ])
})

/** Those of what changes files, of `state.session.*` and of `comms.receive`. Files are taken in turns with the checks of effects. */
export const layer: Layer.Layer<Undos, never, Inbox | SessionStates | Trash> = Layer.effect(Undos, make).pipe(
  Layer.provide(Turns.layer)
)
