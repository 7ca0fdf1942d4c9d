import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { service } from "../inOrder.js"
import { SessionStates } from "../state/SessionStates.js"
import { Inbox } from "../store/Inbox.js"
import { Messages } from "../store/Messages.js"
import { Schedules } from "../store/Schedules.js"
import type { Undo } from "./Undo.js"
import { fileUndos } from "./undo/files.js"
import { gitUndos } from "./undo/git.js"
import { heldUndos } from "./undo/held.js"
import { receiveUndos } from "./undo/receive.js"
import { sessionStateUndos } from "./undo/sessionState.js"

/** How those capabilities are undone that can be, by their names. */
export class Undos extends Context.Tag("kruxos/local/transactions/Undos")<Undos, ReadonlyMap<string, Undo>>() {}

const make = Effect.gen(function*() {
  return new Map([
    ...yield* fileUndos,
    ...yield* gitUndos,
    ...sessionStateUndos(yield* SessionStates),
    ...receiveUndos(yield* Inbox),
    ...heldUndos(["comms.broadcast", "comms.send"], yield* Messages),
    ...heldUndos(["scheduler.cron_create", "scheduler.cron_delete", "scheduler.delay"], yield* Schedules)
  ])
})

/** Those of what changes files, of `state.session.*`, of `comms.*` and of `scheduler.*`. Files are taken in turns with the checks of effects. */
export const layer = service(Undos, make)
