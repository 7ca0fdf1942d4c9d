import { stateArchive } from "./stateArchive.js"
import { statePersistent } from "./statePersistent.js"
import { stateSession } from "./stateSession.js"
import { stateShared } from "./stateShared.js"

/** The words of `state.*`. */
export const state = { ...stateSession, ...statePersistent, ...stateShared, ...stateArchive }
