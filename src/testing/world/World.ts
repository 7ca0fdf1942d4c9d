import type * as Effect from "effect/Effect"
import type { InvalidInput, ResourceExhausted, ServiceUnavailable } from "../../errors/general.js"
import type { KeyNotFound, QuotaExceeded } from "../../errors/state.js"
import type { Outgoing } from "./Outbox.js"

export type { Outgoing, OutgoingStatus } from "./Outbox.js"

/** What happens to an agent without its doing. `from` and `by` are names of agents, which need not exist. */
export type Happening =
  /** Another agent writes to this one: it is in the inbox then, and told to its connection. */
  | {
    readonly _tag: "Message"
    readonly from: string
    readonly message: string
    /** Default: to the agent alone. */
    readonly channel?: string | undefined
    /** Default: `normal`. */
    readonly priority?: "low" | "normal" | "high" | undefined
  }
  /** Another agent writes shared state, over whatever version is there, which wakes watches and makes versions conflict. */
  | {
    readonly _tag: "SharedStateSet"
    readonly key: string
    readonly value: unknown
    /** Default: `another-agent`. */
    readonly by?: string | undefined
  }
  /** Another agent deletes shared state, which must be there. */
  | { readonly _tag: "SharedStateDeleted"; readonly key: string }
  /** The gateway sends a notification of any kind to the agent's sessions, as they are connected or are about to be. */
  | { readonly _tag: "Notification"; readonly method: string; readonly params: unknown }

/** Why something cannot happen: a key or a value that the state does not take, no room, or a gateway that is stopped just now. */
export type EmitFailure = InvalidInput | KeyNotFound | QuotaExceeded | ResourceExhausted | ServiceUnavailable

/** What the gateway keeps of the agent's, by key. */
export interface MockState {
  /** That of all its sessions; where several have a key, of the one that was opened last. */
  readonly session: { readonly [key: string]: unknown }
  readonly persistent: { readonly [key: string]: unknown }
  readonly shared: { readonly [key: string]: unknown }
}

/** What is behind the gateway, for a test to look at and to change. */
export interface World {
  /** The state as it is now, committed. */
  readonly state: Effect.Effect<MockState, ServiceUnavailable>
  /**
   * What was sent out, in the order in which the capabilities had run: of `alerts.send`, `comms.*` and `slack.*` what succeeded, and
   * every write that is buffered, which a transaction holds until it is committed.
   */
  readonly outbox: Effect.Effect<ReadonlyArray<Outgoing>>
  /** Lets something happen. */
  readonly emit: (happening: Happening) => Effect.Effect<void, EmitFailure>
}
