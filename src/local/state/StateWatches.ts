import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { untilClose } from "../../connection/untilClose.js"
import { SubscriptionFailed } from "../../errors/state.js"
import { Identifiers } from "../Identifiers.js"
import { scopedService } from "../inOrder.js"
import { Inbox } from "../store/Inbox.js"
import { SharedState } from "../store/SharedState.js"
import type { Change } from "../store/VersionedState.js"
import { type Delivery, makeDelivery } from "./watchDelivery.js"

/** How many subscriptions a session may have. */
export const mostSubscriptions = 100

/**
 * How often is looked for what other gateways on the same data have changed, while somebody watches: every second, unless a test that
 * moves the clock by hours provides more.
 */
export class LookInterval extends Context.Reference<LookInterval>()("kruxos/local/state/LookInterval", {
  defaultValue: () => Duration.seconds(1)
}) {}

const mostAtOnce = 1000

type Listener = (change: Change) => void

/** Whose subscription it is to be; it ends with the scope. */
export interface Watcher {
  readonly agent: string
  readonly sessionId: string
  readonly sessionScope: Scope.Scope
}

export interface StateWatchesService {
  /**
   * Has an agent told of the changes of keys that begin with a prefix, its own too, until its session ends: by messages in its inbox,
   * and at once to whoever listens for the session. Gives the id of the subscription.
   */
  readonly watch: (watcher: Watcher, prefix: string) => Effect.Effect<string, SubscriptionFailed | SqlError>
  /** Tells the changes that a session watches, each once, until the scope ends. What is told must take no time. */
  readonly listen: (sessionId: string, listener: Listener) => Effect.Effect<void, never, Scope.Scope>
}

/** Who watches the shared state. */
export class StateWatches extends Context.Tag("kruxos/local/state/StateWatches")<StateWatches, StateWatchesService>() {}

interface Subscription {
  readonly prefix: string
  readonly delivery: Delivery
}

const tooMany = (prefix: string) =>
  new SubscriptionFailed({
    message: `A session can have ${mostSubscriptions} subscriptions, and this one has`,
    prefix,
    retryable: false
  })

const make = Effect.gen(function*() {
  const identifiers = yield* Identifiers
  const inbox = yield* Inbox
  const shared = yield* SharedState
  const sessions = new Map<string, Map<string, Subscription>>()
  const listeners = new Map<string, Set<Listener>>()
  const isWatched = Effect.unsafeMakeLatch(false)
  const { flush, makeFor } = yield* makeDelivery(inbox)
  // Up to which change all has been told, and what this gateway told of what comes behind it.
  let known = 0
  let told = new Set<number>()

  const tell = (change: Change) => {
    for (const [sessionId, subscriptions] of sessions) {
      let concerns = false
      for (const { delivery, prefix } of subscriptions.values()) {
        if (!change.key.startsWith(prefix)) continue
        concerns = true
        delivery.add(change)
      }
      if (concerns) { for (const listener of listeners.get(sessionId) ?? []) listener(change) }
    }
  }

  yield* shared.listen((change) => {
    if (sessions.size === 0) return
    told.add(change.number)
    tell(change)
  })

  const lookForOthers = Effect.map(Effect.suspend(() => shared.changesBehind(known, mostAtOnce)), (changes) => {
    for (const change of changes) if (!told.has(change.number)) tell(change)
    const end = changes.at(-1)?.number ?? known
    known = end
    told = new Set([...told].filter((number) => number > end))
    return changes.length
  }).pipe(Effect.repeat({ while: (count) => count === mostAtOnce }))

  const interval = yield* LookInterval
  yield* isWatched.await.pipe(
    Effect.zipRight(Effect.sleep(interval)),
    Effect.zipRight(Effect.catchAll(
      lookForOthers,
      (cause) => Effect.logWarning("What other gateways changed in the shared state could not be read", cause)
    )),
    Effect.zipRight(flush),
    Effect.forever,
    Effect.forkScoped
  )

  const end = (sessionId: string, id: string) =>
    Effect.sync(() => {
      const subscriptions = sessions.get(sessionId)
      subscriptions?.get(id)?.delivery.end()
      subscriptions?.delete(id)
      if (subscriptions?.size === 0) sessions.delete(sessionId)
      if (sessions.size === 0) {
        isWatched.unsafeClose()
        told.clear()
      }
    })

  // Nothing may come between the look at the last change and the entry: what is changed from then on is told.
  const enter = ({ agent, sessionId }: Watcher, id: string, prefix: string, last: number) =>
    Effect.suspend(() => {
      const subscriptions = sessions.get(sessionId) ?? new Map<string, Subscription>()
      if (subscriptions.size >= mostSubscriptions) return tooMany(prefix)
      if (sessions.size === 0) {
        known = last
        told.clear()
      }
      sessions.set(sessionId, subscriptions.set(id, { prefix, delivery: makeFor(agent, id) }))
      isWatched.unsafeOpen()
      return Effect.void
    })

  const watch: StateWatchesService["watch"] = (watcher, prefix) =>
    Effect.gen(function*() {
      const id = `sub-${identifiers.uuid()}`
      yield* enter(watcher, id, prefix, yield* shared.lastChange)
      yield* Scope.addFinalizer(watcher.sessionScope, end(watcher.sessionId, id))
      return id
    }).pipe(Effect.uninterruptible)

  const listen: StateWatchesService["listen"] = (sessionId, listener) =>
    untilClose(
      () => {
        listeners.set(sessionId, (listeners.get(sessionId) ?? new Set()).add(listener))
      },
      () => {
        const ofSession = listeners.get(sessionId)
        ofSession?.delete(listener)
        if (ofSession?.size === 0) listeners.delete(sessionId)
      }
    )

  return { watch, listen }
})

export const layer: Layer.Layer<StateWatches, never, Inbox | SharedState> = scopedService(StateWatches, make)
