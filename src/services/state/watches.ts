import * as Effect from "effect/Effect"
import type { Channel } from "../../connection/Link.js"
import type { CapabilitiesService } from "../Capabilities.js"
import { prefixOf, type StateError } from "./values.js"

// A session can go on over another connection, with its subscriptions.
const isSameSession = (before: Channel, now: Channel) =>
  before === now || (now.isResumed && before.session.id === now.session.id)

/** The subscriptions of a session: one for a prefix, however many streams need it, as there is no way to end one. */
export interface Watches {
  /** Makes sure that there is one for the prefix over this session. */
  readonly ensure: (channel: Channel, prefix: string) => Effect.Effect<void, StateError<"state.shared.watch">>
}

interface Watch {
  readonly turn: Effect.Semaphore
  isMade: boolean
}

export const make = (
  { invoke }: Pick<CapabilitiesService, "invoke">,
  current: Effect.Effect<Channel, StateError<"state.shared.watch">>
): Watches => {
  let session: { readonly channel: Channel; readonly watches: Map<string, Watch> } | undefined

  const watchesOver = (channel: Channel) => {
    session = session !== undefined && isSameSession(session.channel, channel)
      ? session
      : { channel, watches: new Map() }
    return session.watches
  }

  return {
    ensure: (channel, prefix) =>
      Effect.suspend(() => {
        const watches = watchesOver(channel)
        const watch = watches.get(prefix) ?? { turn: Effect.unsafeMakeSemaphore(1), isMade: false }
        watches.set(prefix, watch)
        return watch.turn.withPermits(1)(Effect.suspend(() => {
          const isCovered = [...watches].some(([other, { isMade }]) => isMade && prefix.startsWith(other))
          if (isCovered) return Effect.void
          return invoke("state.shared.watch", prefixOf(prefix)).pipe(
            Effect.zipRight(current),
            // Where the session was lost meanwhile, nobody knows over which one it was made.
            Effect.map((now) => {
              watch.isMade = isSameSession(channel, now)
            })
          )
        }))
      })
  }
}
