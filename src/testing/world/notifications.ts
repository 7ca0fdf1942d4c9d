import * as Effect from "effect/Effect"
import { untilClose } from "../../connection/untilClose.js"
import type { MethodsService } from "../../local/protocol/methods.js"
import type { Listener, Notification } from "../../local/protocol/Notification.js"

/** What a test lets a gateway tell its sessions. */
export interface Notifications {
  /** Tells sessions: those that are told things now, and those that have just begun and are not yet. */
  readonly tell: (sessions: Iterable<string>, notification: Notification) => void
  /** Puts it among what the gateway tells. */
  readonly among: (own: MethodsService) => MethodsService
}

interface Listening {
  listener: Listener | undefined
  /** What is kept for the first connection of the session; undefined when there has been one. */
  early: Array<Notification> | undefined
}

export const make = (): Notifications => {
  const listening = new Map<string, Listening>()

  const listeningOf = (session: string): Listening => {
    const known = listening.get(session)
    if (known !== undefined) return known
    const made: Listening = { listener: undefined, early: [] }
    listening.set(session, made)
    return made
  }

  const begin = (one: Listening, listener: Listener) => {
    for (const notification of one.early ?? []) listener(notification)
    one.early = undefined
    one.listener = listener
  }

  const end = (one: Listening, listener: Listener) => {
    if (one.listener === listener) one.listener = undefined
  }

  return {
    tell: (sessions, notification) => {
      for (const session of sessions) {
        const { early, listener } = listeningOf(session)
        if (listener !== undefined) listener(notification)
        else early?.push(notification)
      }
    },
    among: (own) => ({
      ...own,
      tell: (session, listener) =>
        Effect.zipRight(
          own.tell(session, listener),
          Effect.suspend(() => {
            const one = listeningOf(session.id)
            return untilClose(() => begin(one, listener), () => end(one, listener))
          })
        )
    })
  }
}
