import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { AuthenticationFailed } from "../errors/gateway.js"
import { ConnectionFailed, GatewayTimeout, OutcomeUnknown } from "../errors/gateway.js"
import type { CallFailure, CallOptions, Channel, ChannelFailure, Link } from "./Link.js"
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

const unanswered = ({ operation, replayable, timeoutMillis }: CallOptions) =>
  replayable
    ? new GatewayTimeout({
      message: `${operation} was not answered within ${seconds(timeoutMillis)}`,
      operation,
      timeout: Duration.millis(timeoutMillis)
    })
    : new OutcomeUnknown({
      message: `${operation} was not answered within ${seconds(timeoutMillis)}: it may or may not have taken effect`
    })

const unconnected = ({ operation, timeoutMillis }: CallOptions) =>
  new GatewayTimeout({
    message: `${operation} was not sent: no connection was free for it within ${seconds(timeoutMillis)}`,
    operation,
    timeout: Duration.millis(timeoutMillis)
  })

const describeClose = ({ info }: Dropped) => `code ${info.code}${info.reason === "" ? "" : `: ${info.reason}`}`

const lost = ({ operation, replayable }: CallOptions, dropped: Dropped) =>
  replayable
    ? new ConnectionFailed({
      message: `The connection ended twice before ${operation} was answered (${describeClose(dropped)})`
    })
    : new OutcomeUnknown({
      message: `The connection ended before ${operation} was answered (${
        describeClose(dropped)
      }): it may or may not have taken effect`
    })

/** What a call finds whose connection is over because nobody needs it any more. */
export const closedByScope = () =>
  new ConnectionFailed({ message: "The connection was closed by its scope", retryable: false })

const unreachable = ({ operation }: CallOptions, dropped: Dropped) =>
  new ConnectionFailed({
    message: `${operation} was not sent: the gateway cannot be reached (${describeClose(dropped)})`
  })

/** What has become of a call so far. */
interface Progress {
  readonly deadline: number
  /** It was sent, and the connection ended before the answer. */
  readonly hasDropped: boolean
  /** It was refused because its session had expired. */
  readonly hasExpired: boolean
}

/** Makes `Link.call`: see there. At most `maxInFlight` calls are unanswered at a time; further ones wait. */
export const make = (clock: Clock.Clock, channels: Channels, maxInFlight: number): Link["call"] => {
  const turns = Turns.make(maxInFlight)
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

  const attempt = <A>(
    options: CallOptions,
    run: (channel: Channel, timeoutMillis: number) => Effect.Effect<A, ChannelFailure>,
    progress: Progress
  ): Effect.Effect<A, CallFailure> =>
    Effect.flatMap(channelFor(options, remaining(progress.deadline)), (channel) =>
      Effect.catchAll(
        run(channel, remaining(progress.deadline)),
        (failure): Effect.Effect<A, CallFailure> => {
          switch (failure._tag) {
            case "Dropped":
              if (!failure.sent) {
                return channels.current() === channel
                  ? Effect.fail(unreachable(options, failure))
                  : attempt(options, run, progress)
              }
              return options.replayable && !progress.hasDropped
                ? attempt(options, run, { ...progress, hasDropped: true })
                : Effect.fail(lost(options, failure))
            case "SessionLost":
              return progress.hasExpired
                ? Effect.fail(new RpcFailure({ error: failure.error }))
                : attempt(options, run, { ...progress, hasExpired: true })
            case "DeadlinePassed":
              return Effect.fail(unanswered(options))
            default:
              return Effect.fail(failure)
          }
        }
      ))

  return (options, run) =>
    Effect.suspend(() => {
      const deadline = clock.unsafeCurrentTimeMillis() + options.timeoutMillis
      let hasBegun = false
      const call = Effect.suspend(() => {
        hasBegun = true
        return attempt(options, run, { deadline, hasDropped: false, hasExpired: false })
      })
      if (turns.isFree()) return turns.run(call)
      // Only a call that has to wait for its turn needs a timer of its own.
      return Effect.raceFirst(
        turns.run(call),
        Effect.flatMap(
          clock.sleep(Duration.millis(remaining(deadline))),
          () => hasBegun ? Effect.never : Effect.fail(unconnected(options))
        )
      )
    })
}
