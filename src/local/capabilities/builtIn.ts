import * as Effect from "effect/Effect"
import { builtIn } from "../../catalogue/builtIn.js"
import { makeAgentHandlers } from "./agent.js"
import { makeAlertsHandlers } from "./alerts.js"
import { makeCommsHandlers } from "./comms.js"
import { makeSendingHandlers } from "./commsSending.js"
import { makeFilesystemHandlers } from "./filesystem/handlers.js"
import { makeGitHandlers } from "./git/handlers.js"
import { registerAll } from "./Handler.js"
import { makeNetworkHandlers } from "./network/handlers.js"
import { makeProcessHandlers } from "./process/handlers.js"
import { makeSchedulerHandlers } from "./scheduler.js"
import { makeSecretsHandlers } from "./secrets/handlers.js"
import { makeBackupHandlers } from "./state/backup.js"
import { makeBriefingHandlers } from "./state/briefing.js"
import { makeStateHandlers } from "./state/handlers.js"
import { makeSnapshotHandlers } from "./state/snapshot.js"
import { makeSystemHandlers } from "./system/handlers.js"

/** The capabilities of the catalogue with their handlers. */
export const makeRegistrations = Effect.gen(function*() {
  return registerAll(builtIn, {
    ...yield* makeAgentHandlers,
    ...yield* makeAlertsHandlers,
    ...yield* makeCommsHandlers,
    ...yield* makeSendingHandlers,
    ...yield* makeFilesystemHandlers,
    ...yield* makeGitHandlers,
    ...yield* makeNetworkHandlers,
    ...yield* makeProcessHandlers,
    ...yield* makeSecretsHandlers,
    ...yield* makeSchedulerHandlers,
    ...yield* makeStateHandlers,
    ...yield* makeBackupHandlers,
    ...yield* makeBriefingHandlers,
    ...yield* makeSnapshotHandlers,
    ...yield* makeSystemHandlers
  })
})
