import { builtIn } from "../../../catalogue/builtIn.js"
import { receive } from "../../../catalogue/comms.js"
import type { InvokeRequest } from "../../../connection/InvokeRequest.js"
import { email, slackMessages } from "./bufferedWrites.js"
import { fileContents } from "./fileContents.js"
import { filePlaces } from "./filePlaces.js"
import { git } from "./git.js"
import { know, type Known } from "./Knowledge.js"
import { scheduler } from "./scheduler.js"
import { sessionState } from "./sessionState.js"
import { slackReactions } from "./slackReactions.js"
import { versionedState } from "./versionedState.js"

// Messages that are not acknowledged stay where they are.
const receiving = know(receive, { isHarmless: ({ acknowledge }) => !acknowledge })

const known: ReadonlyMap<string, Known> = new Map(
  [
    ...fileContents,
    ...filePlaces,
    ...sessionState,
    ...versionedState,
    ...email,
    ...slackMessages,
    ...slackReactions,
    ...scheduler,
    ...git,
    receiving
  ].map((each) => [each.name, each])
)

// They end with the session, and nobody else sees them.
const subscriptions = new Set(["filesystem.watch", "state.shared.watch"])

// The catalogue names no side effects of theirs, and yet they change something.
const acting = new Set(["email.bulk_delete", "network.credentialed_request", "proxy.cancel_write"])

const sideEffects: ReadonlyMap<string, number> = new Map(
  Object.values(builtIn).map(({ name, sideEffects }) => [name, sideEffects.length])
)

/** How the steps of a capability are undone, where anybody knows. */
export const knownOf = (name: string): Known | undefined => known.get(name)

/** Whether an invocation changes nothing that would have to be undone. */
export const isHarmless = ({ arguments: input, name, replayable }: InvokeRequest): boolean =>
  replayable || subscriptions.has(name) || (sideEffects.get(name) === 0 && !acting.has(name)) ||
  known.get(name)?.isHarmless(input) === true
