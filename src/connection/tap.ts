import * as Context from "effect/Context"
import type { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import type { Channel, ServerNotification } from "./Link.js"
import type { ConnectionOptions } from "./Options.js"

/** Told of all that goes over the links that are made with it, whatever carries them; synchronously. */
export interface Tap {
  /**
   * A session is there. Gives the channel that calls use in place of the given one, with the same session. `pushes` is whether the
   * gateway can send anything by itself.
   */
  readonly opened: (
    channel: Channel,
    link: { readonly pushes: boolean; readonly options: ConnectionOptions }
  ) => Channel
  /** The session is no longer in use. */
  readonly closed: (channel: Channel) => void
  /** The gateway has sent something by itself; progress, too. */
  readonly notified: (notification: ServerNotification) => void
  /** There will be no session any more. */
  readonly ended: (cause: ConnectionFailed | AuthenticationFailed) => void
}

/** The tap of the links that are made: none, unless a Layer provides one. */
export class CurrentTap extends Context.Reference<CurrentTap>()("kruxos/connection/CurrentTap", {
  defaultValue: (): Tap | undefined => undefined
}) {}
