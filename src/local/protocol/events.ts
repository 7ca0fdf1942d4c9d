import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Session } from "../sessions/Session.js"
import { StateWatches } from "../state/StateWatches.js"
import { Inbox } from "../store/Inbox.js"

/** How many notifications wait for a session; where more come, the oldest are left out. */
const mostWaiting = 1024

interface Notification {
  readonly method: string
  readonly params: unknown
}

/** Makes what tells a session of the changes that it watches, and of the messages that its agent gets, from now on. */
export const make = Effect.gen(function*() {
  const inbox = yield* Inbox
  const watches = yield* StateWatches
  return ({ agent, id }: Session): Stream.Stream<Notification> =>
    Stream.unwrapScoped(Effect.gen(function*() {
      const queue = yield* Effect.acquireRelease(Queue.sliding<Notification>(mostWaiting), Queue.shutdown)
      yield* inbox.listen(agent.name, ({ channel, messageId }) => {
        queue.unsafeOffer({
          method: "notifications/kruxos/message",
          params: { channel, message_id: messageId }
        })
      })
      yield* watches.listen(id, ({ deleted, key, owner, version }) => {
        queue.unsafeOffer({
          method: "notifications/kruxos/state_changed",
          params: { key, version, owner_agent: owner, deleted }
        })
      })
      return Stream.fromQueue(queue)
    }))
})
