import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Call from "../../connection/call.js"
import * as CurrentChannel from "../../connection/CurrentChannel.js"
import { CloseCode } from "../../connection/Duplex.js"
import {
  type Channel,
  type ChannelFailure,
  GatewayStatus,
  type Link,
  type ServerNotification,
  SessionLost
} from "../../connection/Link.js"
import { DeadlinePassed, Dropped, RpcFailure, Unsendable } from "../../connection/Peer.js"
import { progressMethod, ProgressTokens } from "../../connection/progress.js"
import { AuthenticationFailed, ConnectionFailed } from "../../errors/gateway.js"
import type { Answer, Cassette } from "./Cassette.js"
import type { CassetteMismatch, Drift } from "./CassetteErrors.js"
import { describe, questionOf } from "./comparison.js"
import { describeDrift, isSame, mismatchOf, notRecorded } from "./drifts.js"
import { snapshot } from "./recording.js"
import type { Redact } from "./redact.js"
import { type Happening, make as makeTimeline, type Recorded } from "./timeline.js"

/** A gateway that does again what it did when it was recorded. */
export interface Replay {
  readonly link: Link
  /** What does not go as it was recorded, as far as can be told now. */
  readonly mismatch: () => CassetteMismatch | undefined
}

interface ReplayOptions {
  readonly file: string
  readonly cassette: Cassette
  readonly redact: Redact
  readonly maxInFlight: number
}

const driftCode = -32099

const driftFailure = (drift: Drift) =>
  new RpcFailure({
    error: {
      code: driftCode,
      message: describeDrift(drift),
      data: { type: "recorder.drift", message: describeDrift(drift), retryable: false }
    }
  })

const endOf = (answer: Answer): Exit.Exit<unknown, ChannelFailure> => {
  if (answer.error !== undefined) return Exit.fail(new RpcFailure({ error: answer.error }))
  if (answer.sessionLost !== undefined) return Exit.fail(new SessionLost({ error: answer.sessionLost }))
  if (answer.dropped !== undefined) return Exit.fail(new Dropped({ info: answer.dropped, sent: true }))
  return Exit.succeed(answer.result)
}

const unsent = new Dropped({ info: { code: CloseCode.abnormal, reason: "the session is over" }, sent: false })

// Taken before anybody puts something of a test's in its place.
const { clearImmediate, setImmediate } = globalThis

// Lets everything run that has something to do: no time passes by the Clock.
const settled = Effect.async<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

const tells = ({ exchange: { answer } }: Recorded) => answer?.error !== undefined || answer?.result !== undefined

/** Makes a link to a gateway that answers from a cassette, and ends with the scope. */
export const make = Effect.fnUntraced(function*({ cassette, file, maxInFlight, redact }: ReplayOptions) {
  const clock = yield* Effect.clock
  const timeline = makeTimeline(cassette, () => clock.unsafeCurrentTimeMillis())
  const { exchanges } = timeline
  const exchangesOf = new Map<string, Array<Recorded>>()
  for (const recorded of exchanges) {
    const name = describe({ method: recorded.exchange.request, params: recorded.exchange.params })
    const others = exchangesOf.get(name)
    if (others === undefined) exchangesOf.set(name, [recorded])
    else others.push(recorded)
  }
  const channels = CurrentChannel.make()
  const calls = Call.make(clock, channels, maxInFlight)
  const status = yield* SubscriptionRef.make<GatewayStatus>(GatewayStatus.Connecting())
  const notifications = yield* Effect.acquireRelease(
    PubSub.sliding<ServerNotification>(1024),
    (pubsub) => PubSub.shutdown(pubsub)
  )
  const listeners = new Set<(notification: ServerNotification) => void>()
  const progress = new ProgressTokens()
  const wake = Effect.unsafeMakeLatch(false)
  const drifts: Array<Drift> = []
  let latest: Channel | undefined

  const find = (question: ReturnType<typeof questionOf>): Recorded | undefined => {
    const alike = exchangesOf.get(describe(question)) ?? []
    if (alike[0]?.isPoll !== true) return alike.find((recorded) => !recorded.isAsked && isSame(recorded, question))
    // News are as they were at that time, and the last of them hold on.
    const told = alike.filter((recorded) => isSame(recorded, question) && tells(recorded))
    return told.find(({ exchange, isAsked }) => !isAsked && exchange.step > timeline.reached()) ?? told.at(-1)
  }

  const ask = (recorded: Recorded): Effect.Effect<unknown, ChannelFailure> => {
    const { answer } = recorded.exchange
    // Only what asks for news is answered twice.
    if (recorded.isAsked) return answer === undefined ? Effect.never : endOf(answer)
    const answered = Deferred.unsafeMake<unknown, ChannelFailure>(FiberId.none)
    recorded.onAnswer = (answer) => Deferred.unsafeDone(answered, endOf(answer))
    timeline.asked(recorded)
    wake.unsafeOpen()
    return Deferred.await(answered)
  }

  const request = (isOpen: () => boolean): Channel["request"] => (method, params, timeoutMillis) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend((): Effect.Effect<unknown, ChannelFailure> => {
        // Over HTTP a session that is over is asked all the same.
        if (cassette.pushes && !isOpen()) return Effect.fail(unsent)
        const sent = snapshot(params)
        if (Option.isNone(sent)) return Effect.fail(new Unsendable({ message: "The arguments are not JSON" }))
        const question = questionOf(method, sent.value)
        const asked = { ...question, params: redact(question.params) }
        const recorded = find(asked)
        if (recorded === undefined) {
          const drift = notRecorded(exchanges, asked)
          drifts.push(drift)
          timeline.loosen()
          wake.unsafeOpen()
          return Effect.fail(driftFailure(drift))
        }
        recorded.progressToken = question.progressToken
        const answered = Effect.timeoutFail(Effect.interruptible(ask(recorded)), {
          duration: Duration.millis(timeoutMillis),
          onTimeout: () => new DeadlinePassed({ timeoutMillis, sent: true })
        })
        return Effect.ensuring(
          restore(answered),
          Effect.sync(() => {
            timeline.abandoned(recorded)
            wake.unsafeOpen()
          })
        )
      })
    )

  const opened = ({ connected }: Extract<Happening, { readonly connected: unknown }>) => {
    const { session: { agent, createdAt, id, protocolVersion, serverName, serverVersion } } = connected
    const channel: Channel = {
      session: { agent, createdAt, id, protocolVersion, serverName, serverVersion },
      dialect: connected.dialect,
      features: new Set(connected.features),
      outcomeRecord: connected.outcomeRecord,
      isResumed: connected.isResumed,
      request: request(() => channels.current() === channel),
      ...(cassette.pushes ? { progress } : {})
    }
    const calledInVain = latest === undefined ? 0 : calls.takeLost()
    const lost = latest === undefined || channel.isResumed
      ? undefined
      : { session: latest.session, calls: calledInVain }
    latest = channel
    channels.open(channel)
    return SubscriptionRef.set(status, GatewayStatus.Connected({ session: channel.session, lost }))
  }

  const notified = ({ notification: method, params }: Extract<Happening, { readonly notification: string }>) => {
    if (method === progressMethod && Predicate.isReadonlyRecord(params)) {
      const of = exchanges.find(({ exchange }) => exchange.progressToken === params["progressToken"])
      progress.receive({ ...params, progressToken: of?.progressToken })
      return Effect.void
    }
    const notification = { method, params }
    notifications.unsafeOffer(notification)
    for (const listener of listeners) listener(notification)
    return Effect.void
  }

  const end = (cause: ConnectionFailed | AuthenticationFailed, told: typeof cause | undefined) =>
    Effect.suspend(() => {
      channels.end(cause)
      return SubscriptionRef.update(status, (now) =>
        GatewayStatus.$is("Closed")(now) ? now : GatewayStatus.Closed({ cause: told }))
    })

  const happen = (happening: Happening): Effect.Effect<void> => {
    if ("connected" in happening) return opened(happening)
    if ("notification" in happening) return notified(happening)
    if ("ended" in happening) {
      const { message, type } = happening.ended
      const cause = type === "ConnectionFailed"
        ? new ConnectionFailed({ message })
        : new AuthenticationFailed({ message })
      return end(cause, cause)
    }
    if (latest !== undefined) channels.vacate(latest)
    return cassette.pushes
      ? SubscriptionRef.set(
        status,
        GatewayStatus.Reconnecting({ cause: new ConnectionFailed({ message: "The connection ended" }) })
      )
      : Effect.void
  }

  const happenAll = (happenings: ReadonlyArray<Happening>) =>
    Effect.zipRight(Effect.forEach(happenings, happen, { discard: true }), Effect.sync(timeline.goOn))

  const step = Effect.suspend(() => {
    // Before looking, so that what comes meanwhile is looked at next.
    wake.unsafeClose()
    const happenings = timeline.next()
    if (happenings.length > 0) return happenAll(happenings)
    const due = timeline.due()
    if (due === Infinity) return wake.await
    return Effect.raceFirst(
      wake.await,
      Effect.flatMap(
        clock.sleep(Duration.millis(due)),
        () => happenAll(timeline.force())
      )
    )
  })

  yield* happenAll(timeline.next())
  yield* Effect.addFinalizer(() => end(Call.closedByScope(), undefined))
  yield* Effect.forkScoped(Effect.forever(Effect.zipRight(settled, step)))

  const link: Link = {
    status: Stream.takeUntil(status.changes, GatewayStatus.$is("Closed")),
    channel: channels.next,
    notifications: cassette.pushes ? Stream.fromPubSub(notifications) : Stream.empty,
    pushes: cassette.pushes,
    listen: (listener) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.sync(() => listeners.add(listener)),
        () => Effect.sync(() => listeners.delete(listener))
      )),
    call: calls.call,
    direct: calls.direct
  }
  const replay: Replay = { link, mismatch: () => mismatchOf(file, drifts, exchanges) }
  return replay
})
