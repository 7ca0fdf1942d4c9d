import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import type { Channels } from "./call.js"
import type { Channel } from "./Link.js"

type Over = ConnectionFailed | AuthenticationFailed

type State =
  | { readonly _tag: "Open"; readonly channel: Channel }
  | { readonly _tag: "Awaited"; readonly next: Deferred.Deferred<Channel, Over> }
  | { readonly _tag: "Over"; readonly cause: Over }

/**
 * The session that calls go over: there, awaited, or none any more. Each change is synchronous, so that no call takes a
 * session for open after its socket has closed, and none waits for a session that somebody else has been given.
 */
export interface CurrentChannel extends Channels {
  readonly open: (channel: Channel) => void
  /** Says that this session is lost. Does nothing where another one is in use already. */
  readonly vacate: (channel: Channel) => void
  /** Says that there will be no session any more. */
  readonly end: (cause: Over) => void
}

const awaited = (): State => ({ _tag: "Awaited", next: Deferred.unsafeMake(FiberId.none) })

export const make = (): CurrentChannel => {
  let state = awaited()
  const change = (to: State, told: Exit.Exit<Channel, Over>) => {
    const from = state
    state = to
    if (from._tag === "Awaited") Deferred.unsafeDone(from.next, told)
  }
  return {
    current: () => state._tag === "Open" ? state.channel : undefined,
    next: Effect.suspend((): Effect.Effect<Channel, Over> => {
      switch (state._tag) {
        case "Open":
          return Effect.succeed(state.channel)
        case "Awaited":
          return Deferred.await(state.next)
        case "Over":
          return Effect.fail(state.cause)
      }
    }),
    open: (channel) => {
      if (state._tag === "Awaited") change({ _tag: "Open", channel }, Exit.succeed(channel))
    },
    vacate: (channel) => {
      if (state._tag === "Open" && state.channel === channel) state = awaited()
    },
    end: (cause) => {
      if (state._tag !== "Over") change({ _tag: "Over", cause }, Exit.fail(cause))
    }
  }
}
