import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Family, InboxService } from "../store/Inbox.js"
import type { Change } from "../store/VersionedState.js"

const channelPrefix = "state:"

const channelOf = (subscriptionId: string) => `${channelPrefix}${subscriptionId}`

/** How many messages of one subscription can be unread; what comes on top is lost, and counted. */
export const mostUnread = 1000

// What waits to be put into inboxes takes no longer than the store does.
const mostWaiting = 1000

/** The changes of one subscription on their way into an inbox. */
export interface Delivery {
  readonly add: (change: Change) => void
  /** Drops what has not been delivered. */
  readonly end: () => void
}

interface Waiting {
  readonly agent: string
  readonly subscriptionId: string
  messages: Array<string>
  lost: number
  isOver: boolean
}

const messageOf = (subscriptionId: string, { deleted, key, owner, version }: Change) =>
  JSON.stringify({ subscription_id: subscriptionId, type: "change", key, version, owner_agent: owner, deleted })

const overflowOf = (subscriptionId: string, dropped: number) =>
  JSON.stringify({ subscription_id: subscriptionId, type: "overflow", dropped })

/**
 * Delivers what is watched to inboxes, one message a change, behind the backs of those who change it: from `state.shared.watch` on the
 * channel `state:<subscription_id>`. Where there is no room, changes are dropped, and an `overflow` message with their number follows
 * when there is some again: at the next change, or when `flush` is run. What nobody has read of subscriptions that have ended makes
 * room; those that last at another gateway on the same data count as ended, too.
 */
export const makeDelivery = (inbox: InboxService): Effect.Effect<
  {
    readonly makeFor: (agent: string, subscriptionId: string) => Delivery
    readonly flush: Effect.Effect<void>
  },
  never,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const some = Effect.unsafeMakeLatch(false)
    const all = new Set<Waiting>()
    const channels = new Set<string>()
    const family: Family = { prefix: channelPrefix, isOver: (channel) => !channels.has(channel) }
    let due = new Set<Waiting>()

    const put = ({ agent, subscriptionId }: Waiting, messages: ReadonlyArray<string>) =>
      inbox.deliverAll({
        agent,
        from: "state.shared.watch",
        channel: channelOf(subscriptionId),
        messages,
        maximumUnread: mostUnread,
        family
      }).pipe(
        Effect.catchAll((cause) =>
          Effect.as(Effect.logWarning("Changes that are watched were not delivered", cause), 0)
        )
      )

    const deliver = (waiting: Waiting) =>
      Effect.gen(function*() {
        const { lost, messages, subscriptionId } = waiting
        if (waiting.isOver || (messages.length === 0 && lost === 0)) return
        // Taken before anything is waited for: another delivery may begin meanwhile, and would tell it again.
        waiting.messages = []
        waiting.lost = 0
        const told = lost === 0 ? [] : [overflowOf(subscriptionId, lost)]
        const delivered = yield* put(waiting, [...told, ...messages])
        const isTold = delivered >= told.length
        waiting.lost += isTold ? messages.length - (delivered - told.length) : lost + messages.length
      })

    const flush = Effect.suspend(() => Effect.forEach([...all], deliver, { discard: true })).pipe(
      Effect.uninterruptible
    )

    const deliverDue = Effect.suspend(() => {
      const now = due
      due = new Set()
      some.unsafeClose()
      return Effect.forEach(now, deliver, { discard: true })
    }).pipe(Effect.uninterruptible)

    // Those who change the state go first.
    yield* Effect.forkScoped(
      Effect.forever(some.await.pipe(Effect.zipRight(Effect.yieldNow()), Effect.zipRight(deliverDue)))
    )

    const makeFor = (agent: string, subscriptionId: string): Delivery => {
      const waiting: Waiting = { agent, subscriptionId, messages: [], lost: 0, isOver: false }
      all.add(waiting)
      channels.add(channelOf(subscriptionId))
      return {
        add: (change) => {
          if (waiting.messages.length >= mostWaiting) waiting.lost++
          else waiting.messages.push(messageOf(subscriptionId, change))
          due.add(waiting)
          some.unsafeOpen()
        },
        end: () => {
          waiting.isOver = true
          all.delete(waiting)
          channels.delete(channelOf(subscriptionId))
        }
      }
    }

    return { makeFor, flush }
  })
