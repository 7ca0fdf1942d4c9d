import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type { Link } from "../connection/Link.js"
import type { CapabilitiesService } from "./Capabilities.js"
import * as PersistentState from "./state/PersistentState.js"
import * as SessionState from "./state/SessionState.js"
import * as SharedState from "./state/SharedState.js"

export type { Changes, ChangesOptions } from "./state/changes.js"
export type { ChangesError } from "./state/follower.js"
export type {
  Checkpoint,
  GetOptions,
  HistoryOptions,
  PersistentState,
  PersistentWrite
} from "./state/PersistentState.js"
export type { SessionState } from "./state/SessionState.js"
export type { SharedSetOptions, SharedState } from "./state/SharedState.js"
export type { InitialOptions, Update, UpdateError, UpdateOptions } from "./state/updates.js"
export type { PlainValue, StateCapability, StateError } from "./state/values.js"

/**
 * What an agent remembers. Source: the guide's "State management".
 *
 * Keys have 1 to 512 bytes and no control characters. Values are JSON of at most 1 MiB: null, booleans, finite numbers, text, lists and
 * plain objects of such, or what a schema encodes to that. Anything else is refused as InvalidInput before it is sent.
 */
export interface StateService {
  readonly session: SessionState.SessionState
  readonly persistent: PersistentState.PersistentState
  readonly shared: SharedState.SharedState
}

/**
 * Makes the service over the invocations of a link. `following` makes those by which changes are followed: outside of every
 * transaction, since they go on, and see what is committed. `longestTrust` is how long nothing is asked while changes are pushed.
 */
export const make = (
  link: Link,
  capabilities: Pick<CapabilitiesService, "invoke">,
  following: Pick<CapabilitiesService, "invoke">,
  longestTrust: Duration.Duration
): StateService => ({
  session: SessionState.make(capabilities),
  persistent: PersistentState.make(capabilities),
  shared: {
    ...SharedState.make(link, capabilities, longestTrust),
    changes: SharedState.make(link, following, longestTrust).changes
  }
})

/** The state of the gateway that a Layer connects to. */
export class State extends Context.Tag("kruxos/State")<State, StateService>() {}
