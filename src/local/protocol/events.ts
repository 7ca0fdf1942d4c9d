import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Session } from "../sessions/Session.js"
import { StateWatches } from "../state/StateWatches.js"
import { Inbox } from "../store/Inbox.js"
import type { Listener } from "./Notification.js"

/** Makes what tells a session of the changes that it watches, and of the messages that its agent gets, from now on. */
export const make = Effect.gen(function*() {
  const inbox = yield* Inbox
  const watches = yield* StateWatches
  return ({ agent, id }: Session, listener: Listener): Effect.Effect<void, never, Scope.Scope> =>
    Effect.zipRight(
      inbox.listen(agent.name, ({ channel, messageId }) =>
        listener({ method: "notifications/kruxos/message", params: { channel, message_id: messageId } })),
      watches.listen(id, ({ deleted, key, owner, version }) =>
        listener({
          method: "notifications/kruxos/state_changed",
          params: { key, version, owner_agent: owner, deleted }
        }))
    )
})
