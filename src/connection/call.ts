import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { AuthenticationFailed } from "../errors/gateway.js"
import { ConnectionFailed, GatewayTimeout, OutcomeUnknown } from "../errors/gateway.js"
import { cancellableAsync } from "./cancellableAsync.js"
import { DirectCall, type DirectLink } from "./DirectCall.js"
import type { CallFailure, CallOptions, Channel, ChannelFailure, Link } from "./Link.js"
import { metered } from "./Meter.js"
import { type Dropped, RpcFailure } from "./Peer.js"
import * as Turns from "./Turns.js"

/** Where calls get their session from. */
export interface Channels {
  /** The session in use, if there is one now. */
  readonly current: () => Channel | undefined
  /** The session in use, or the next one. */
  readonly next: Effect.Effect<Channel, ConnectionFailed | AuthenticationFailed>
}

const seconds = (milliseconds: number) => `${milliseconds / 1000} s`

/** The key that goes along with a call over a session: none where the gateway would not look at it. */
export const keyOver = (
  { dialect, outcomeRecord }: Channel,
  { idempotencyKey }: Pick<CallOptions, "idempotencyKey">
): string | undefined => dialect === "native" && outcomeRecord !== undefined ? idempotencyKey : undefined

const unanswered = ({ operation, replayable, timeoutMillis }: CallOptions, key: string | undefined) =>
  replayable
    ? new GatewayTimeout({
      message: `${operation} was not answered within ${seconds(timeoutMillis)}`,
      operation,
      timeout: Duration.millis(timeoutMillis)
    })
    : new OutcomeUnknown({
      message: `${operation} was not answered within ${seconds(timeoutMillis)}: it may or may not have taken effect`,
      idempotencyKey: key
    })

const unconnected = ({ operation, timeoutMillis }: CallOptions) =>
  new GatewayTimeout({
    message: `${operation} was not sent: no connection was free for it within ${seconds(timeoutMillis)}`,
    operation,
    timeout: Duration.millis(timeoutMillis)
  })

const describeClose = ({ info }: Dropped) => `code ${info.code}${info.reason === "" ? "" : `: ${info.reason}`}`

const lost = ({ operation, replayable }: CallOptions, dropped: Dropped, key: string | undefined) =>
  replayable
    ? new ConnectionFailed({
      message: `The connection ended twice before ${operation} was answered (${describeClose(dropped)})`
    })
    : new OutcomeUnknown({
      message: `The connection ended before ${operation} was answered (${
        describeClose(dropped)
      }): it may or may not have taken effect`,
      idempotencyKey: key
    })

/** What a call finds whose connection is over because nobody needs it any more. */
export const closedByScope = () =>
  new ConnectionFailed({ message: "The connection was closed by its scope", retryable: false })

const unreachable = ({ operation }: CallOptions, dropped: Dropped) =>
  new ConnectionFailed({
    message: `${operation} was not sent: the gateway cannot be reached (${describeClose(dropped)})`
  })

/** What sends a call over a session; `isRepeat` where it has been sent before, and may have taken effect. */
type Run<A> = (channel: Channel, timeoutMillis: number, isRepeat: boolean) => Effect.Effect<A, ChannelFailure>

/** What has become of a call so far. */
interface Progress {
  readonly deadline: number
  /** It was sent, and the connection ended before the answer. */
  readonly dropped: { readonly by: Dropped; readonly over: Channel } | undefined
  /** It was refused because its session had expired. */
  readonly hasExpired: boolean
}

/** The calls over a link. */
export interface Calls {
  readonly call: Link["call"]
  readonly direct: Link["direct"]
  /** From now on new calls fail. Done when none is in flight any more, at most after the given time. */
  readonly finish: (grace: Duration.Duration) => Effect.Effect<void>
  /** How many calls have ended with OutcomeUnknown because their connection did, since this was asked last. */
  readonly takeLost: () => number
}

/** Makes `Link.call`: see there. At most `maxInFlight` calls are unanswered at a time; further ones wait. */
export const make = (clock: Clock.Clock, channels: Channels, maxInFlight: number): Calls => {
  const turns = Turns.make(maxInFlight)
  let isFinishing = false
  let lostCalls = 0
  const remaining = (deadline: number) => Math.max(0, deadline - clock.unsafeCurrentTimeMillis())

  const channelFor = (options: CallOptions, milliseconds: number) =>
    Effect.suspend(() => {
      if (milliseconds === 0) return Effect.fail(unconnected(options))
      const open = channels.current()
      return open === undefined
        ? Effect.timeoutFail(channels.next, {
          duration: Duration.millis(milliseconds),
          onTimeout: () => unconnected(options)
        })
        : Effect.succeed(open)
    })

  const loss = (options: CallOptions, { by, over }: NonNullable<Progress["dropped"]>) => {
    if (!options.replayable) lostCalls++
    return Effect.fail(lost(options, by, keyOver(over, options)))
  }

  const isRepeatable = (options: CallOptions, over: Channel) =>
    options.replayable || keyOver(over, options) !== undefined

  // A repeat is safe without a key, or where the gateway has the record in which the key was noted.
  const isRepeatableOver = (options: CallOptions, over: Channel, next: Channel) =>
    options.replayable || (keyOver(next, options) !== undefined && next.outcomeRecord === over.outcomeRecord)

  // What was sent once may have taken effect, whatever keeps it from being sent again.
  const giveUpAs = (options: CallOptions, { dropped }: Progress) => (failure: CallFailure) =>
    dropped === undefined || options.replayable ? Effect.fail(failure) : loss(options, dropped)

  const attempt = <A>(
    options: CallOptions,
    run: Run<A>,
    progress: Progress
  ): Effect.Effect<A, CallFailure> => {
    const { dropped } = progress
    return Effect.matchEffect(channelFor(options, remaining(progress.deadline)), {
      onFailure: giveUpAs(options, progress),
      onSuccess: (channel) =>
        dropped !== undefined && !isRepeatableOver(options, dropped.over, channel)
          ? loss(options, dropped)
          : settle(options, run, progress, channel, run(channel, remaining(progress.deadline), dropped !== undefined))
    })
  }

  /** Makes of what has come of asking over a session what comes of the call; in some cases by asking again. */
  const settle = <A>(
    options: CallOptions,
    run: Run<A>,
    progress: Progress,
    channel: Channel,
    asked: Effect.Effect<A, ChannelFailure>
  ): Effect.Effect<A, CallFailure> =>
    Effect.catchAll(asked, (failure): Effect.Effect<A, CallFailure> => {
      const giveUp = giveUpAs(options, progress)
      switch (failure._tag) {
        case "Dropped":
          if (!failure.sent) {
            return channels.current() === channel
              ? giveUp(unreachable(options, failure))
              : attempt(options, run, progress)
          }
          return isRepeatable(options, channel) && progress.dropped === undefined
            ? attempt(options, run, { ...progress, dropped: { by: failure, over: channel } })
            : loss(options, { by: failure, over: channel })
        case "SessionLost":
          return progress.hasExpired
            ? giveUp(new RpcFailure({ error: failure.error }))
            : attempt(options, run, { ...progress, hasExpired: true })
        case "DeadlinePassed":
          return failure.sent
            ? Effect.fail(unanswered(options, keyOver(channel, options)))
            : giveUp(unconnected(options))
        default:
          return Effect.fail(failure)
      }
    })

  const call: Link["call"] = (options, run) =>
    Effect.suspend(() => {
      if (isFinishing) return Effect.fail(closedByScope())
      const deadline = clock.unsafeCurrentTimeMillis() + options.timeoutMillis
      let hasBegun = false
      const begun = Effect.suspend(() => {
        hasBegun = true
        return attempt(options, run, { deadline, dropped: undefined, hasExpired: false })
      })
      if (turns.isFree()) return turns.run(begun)
      // Only a call that has to wait for its turn needs a timer of its own.
      return Effect.raceFirst(
        turns.run(begun),
        Effect.flatMap(
          clock.sleep(Duration.millis(remaining(deadline))),
          () => hasBegun ? Effect.never : Effect.fail(unconnected(options))
        )
      )
    })

  const callAfter: DirectLink["callAfter"] = (answer, channel, deadline, onEnd) => {
    let isFirst = true
    return (options, run) =>
      Effect.suspend(() => {
        if (!isFirst) return call(options, run)
        isFirst = false
        const progress = { deadline, dropped: undefined, hasExpired: false }
        const answered = run({ ...channel, request: () => answer }, remaining(deadline), false)
        // The next call takes a turn of its own.
        return Effect.ensuring(settle(options, run, progress, channel, answered), onEnd)
      })
  }

  const link: DirectLink = { release: turns.release, callAfter, now: () => clock.unsafeCurrentTimeMillis() }

  const direct: Link["direct"] = (options, question) =>
    cancellableAsync((resume) => {
      const channel = channels.current()
      if (
        isFinishing || channel?.peer === undefined || channel.dialect !== "native" || options.timeoutMillis <= 0 ||
        !turns.tryTake()
      ) {
        resume(
          metered(
            options.meter,
            question.otherwise(options, call, clock.unsafeCurrentTimeMillis() + options.timeoutMillis)
          )
        )
        return undefined
      }
      const { peer } = channel
      const asked = new DirectCall(options, question, resume, channel, link)
      options.meter?.began()
      peer.ask(question.method, question.params(options, channel), asked)
      return () => {
        peer.stop(asked)
        asked.end("interrupted")
      }
    })

  return {
    call,
    direct,
    finish: (grace) =>
      Effect.suspend(() => {
        isFinishing = true
        return Duration.equals(grace, Duration.zero)
          ? Effect.void
          // A finalizer is uninterruptible, and a timeout ends by interruption.
          : turns.idle.pipe(Effect.interruptible, Effect.timeoutOption(grace), Effect.asVoid)
      }),
    takeLost: () => {
      const lost = lostCalls
      lostCalls = 0
      return lost
    }
  }
}
