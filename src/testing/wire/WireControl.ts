import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { StartFailure } from "../../local/LocalGatewayOptions.js"

/** What a test does to the connection and to the gateway as a whole. */
export interface WireControl {
  /** Cuts every connection, as a network does: without a word. The program's client connects again. */
  readonly dropConnection: Effect.Effect<void>
  /** Lets every attempt to connect fail until the scope ends. */
  readonly unreachable: Effect.Effect<void, never, Scope.Scope>
  /**
   * Stops the gateway as if it had been killed, and starts it again on the same data: sessions, watches and session state are gone,
   * open transactions are rolled back, and what was cut off is resolved as after a crash.
   */
  readonly restart: Effect.Effect<void, StartFailure>
}
