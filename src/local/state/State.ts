import * as Layer from "effect/Layer"
import type { Inbox } from "../store/Inbox.js"
import type { SharedState } from "../store/SharedState.js"
import * as SessionStates from "./SessionStates.js"
import * as StateWatches from "./StateWatches.js"

/** What the `state.*` capabilities work with, besides the store. */
export type State = SessionStates.SessionStates | StateWatches.StateWatches

export const layer = (options: SessionStates.Options = {}): Layer.Layer<State, never, Inbox | SharedState> =>
  Layer.merge(SessionStates.layer(options), StateWatches.layer)
