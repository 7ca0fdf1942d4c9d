import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { ConnectionFailed } from "../errors/gateway.js"
import type { Session } from "../schema/Session.js"
import * as Call from "./call.js"
import { connect, type Connected, type ConnectFailure } from "./connect.js"
import * as CurrentChannel from "./CurrentChannel.js"
import type { CloseInfo, Dial } from "./Duplex.js"
import { GatewayStatus, type Link, type ServerNotification } from "./Link.js"
import { reconnected } from "./Meter.js"
import type { ConnectionOptions } from "./Options.js"
import { CurrentTap } from "./tap.js"
import { holding } from "./untilClose.js"

const lost = (info: CloseInfo) =>
  new ConnectionFailed({
    message: `The connection ended (code ${info.code}${info.reason === "" ? "" : `: ${info.reason}`})`
  })

const stableMillis = 10_000

/** A connection, and what to close when it is over. */
interface Attempt extends Connected {
  readonly scope: Scope.CloseableScope
  readonly since: number
}

/**
 * Makes every connection after the first. One that lasted is made anew at once, and so is the first; one that did not
 * waits as the schedule says, so that a gateway which accepts and then drops is not asked without pause.
 */
const makeReconnect = Effect.fnUntraced(function*(
  clock: Clock.Clock,
  attempt: (resume: Session) => Effect.Effect<Attempt, ConnectFailure>,
  schedule: Schedule.Schedule<unknown>
) {
  const waits = yield* Schedule.driver(schedule)
  let mayHurry = true
  return (previous: Attempt, cause: ConnectionFailed): Effect.Effect<Attempt, ConnectFailure> =>
    Effect.gen(function*() {
      if (clock.unsafeCurrentTimeMillis() - previous.since >= stableMillis) {
        yield* waits.reset
        mayHurry = true
      }
      let failure: ConnectFailure = cause
      while (true) {
        if (!mayHurry) yield* Effect.mapError(waits.next(failure), () => failure)
        mayHurry = false
        const made = yield* Effect.either(attempt(previous.channel.session))
        if (made._tag === "Right") return made.right
        failure = made.left
        if (failure._tag === "AuthenticationFailed") return yield* failure
      }
    })
})

/**
 * A link over sockets: it fails when the first connection cannot be made, and makes every later one by itself until its
 * scope closes, the key is refused, or the schedule ends. Calls in flight when the scope closes have the grace period to finish;
 * then the gateway is told to stop them.
 */
export const make = Effect.fnUntraced(function*(dial: Dial, options: ConnectionOptions) {
  const clock = yield* Effect.clock
  const tap = yield* CurrentTap
  const status = yield* SubscriptionRef.make<GatewayStatus>(GatewayStatus.Connecting())
  const notifications = yield* Effect.acquireRelease(
    PubSub.sliding<ServerNotification>(1024),
    (pubsub) => PubSub.shutdown(pubsub)
  )
  const listeners = new Set<(notification: ServerNotification) => void>()
  // Made before all that ends with the scope, so that it ends last: calls in flight then find the link closed.
  const sockets = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
  const channels = CurrentChannel.make()

  const attempt = Effect.fnUntraced(function*(resume: Session | undefined): Effect.fn.Return<Attempt, ConnectFailure> {
    const scope = yield* Scope.fork(sockets, ExecutionStrategy.sequential)
    const connected = yield* connect(dial, options, {
      onNotification: (notification) => {
        notifications.unsafeOffer(notification)
        for (const listener of listeners) listener(notification)
      },
      onOpen: channels.open,
      onClose: channels.vacate
    }, resume).pipe(
      Scope.extend(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
    return { ...connected, scope, since: clock.unsafeCurrentTimeMillis() }
  })

  const end = (cause: ConnectFailure, told: ConnectFailure | undefined) =>
    Effect.sync(() => channels.end(cause)).pipe(
      Effect.zipRight(SubscriptionRef.update(status, (now) =>
        GatewayStatus.$is("Closed")(now) ? now : GatewayStatus.Closed({ cause: told })))
    )

  const calls = Call.make(clock, channels, options.maxInFlight)

  const connectedTo = ({ channel }: Attempt, previous?: Attempt) =>
    Effect.suspend(() => {
      const calledInVain = calls.takeLost()
      // What is resumed has lost nothing, and its calls say themselves how they ended.
      const lost = previous && !channel.isResumed
        ? { session: previous.channel.session, calls: calledInVain }
        : undefined
      return SubscriptionRef.set(status, GatewayStatus.Connected({ session: channel.session, lost }))
    })

  const reconnect = yield* makeReconnect(clock, attempt, options.reconnect)

  const follow = Effect.fnUntraced(
    function*(first: Attempt) {
      let current = first
      while (true) {
        const cause = lost(yield* Deferred.await(current.closed))
        yield* Scope.close(current.scope, Exit.void)
        yield* SubscriptionRef.set(status, GatewayStatus.Reconnecting({ cause }))
        const previous = current
        current = yield* reconnect(previous, cause)
        reconnected("client")
        yield* connectedTo(current, previous)
      }
    },
    Effect.catchAll((cause) => {
      tap?.ended(cause)
      return end(cause, cause)
    })
  )

  const first = yield* attempt(undefined)
  yield* connectedTo(first)
  yield* Effect.addFinalizer(() => end(Call.closedByScope(), undefined))
  yield* Effect.forkScoped(follow(first))
  yield* Effect.addFinalizer(() => calls.finish(options.gracePeriod))

  const link: Link = {
    status: Stream.takeUntil(status.changes, GatewayStatus.$is("Closed")),
    channel: channels.next,
    notifications: Stream.fromPubSub(notifications),
    pushes: true,
    listen: (listener) => holding(listeners, listener),
    call: calls.call,
    direct: calls.direct
  }
  return link
})

/** 1 s, 2 s, 4 s … up to 60 s, each shortened or lengthened by chance, without end. */
export const defaultReconnect: Schedule.Schedule<unknown> = Schedule.exponential("1 second").pipe(
  Schedule.union(Schedule.spaced("60 seconds")),
  Schedule.jittered
)
