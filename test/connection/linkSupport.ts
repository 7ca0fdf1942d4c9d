import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { CallFailure, CallOptions, Link, Question } from "../../src/connection/Link.js"
import type { ConnectionOptions } from "../../src/connection/Options.js"
import * as SocketLink from "../../src/connection/socketLink.js"
import type { ScriptedGateway } from "../support/scriptedGateway.js"
import { settled } from "../support/scriptedGateway.js"

/** 1 s, 2 s, 4 s … 60 s, without chance. */
export const plainReconnect: Schedule.Schedule<unknown> = Schedule.exponential("1 second").pipe(
  Schedule.union(Schedule.spaced("60 seconds"))
)

export const connectionOptions: ConnectionOptions = {
  apiKey: Redacted.make("key"),
  clientName: "test",
  requestTimeoutMillis: 30_000,
  reconnect: plainReconnect,
  heartbeat: Duration.seconds(15),
  maxInFlight: 100,
  sendQueueBytes: 1024 * 1024,
  gracePeriod: Duration.zero
}

export const linkTo = (gateway: ScriptedGateway, options: Partial<ConnectionOptions> = {}) =>
  SocketLink.make(gateway.dial, { ...connectionOptions, ...options })

/** Asks for `m`, by default something that may not be repeated, and waits at most 10 s. */
export const call = (link: Link, options: Partial<CallOptions & { readonly method: string }> = {}) =>
  link.call(
    { operation: "the call", timeoutMillis: 10_000, replayable: false, ...options },
    (channel, timeoutMillis) => channel.request(options.method ?? "m", {}, timeoutMillis)
  )

interface DirectOptions extends CallOptions {
  readonly value?: unknown
}

/** Asks for `m` directly: an object is more than a plain answer. Otherwise it is a call that asks for `again`. */
export const direct = (
  link: Link,
  options: Partial<DirectOptions> = {},
  otherwise: Question<DirectOptions, unknown, CallFailure>["otherwise"] = (given, call) =>
    call(given, (channel, timeoutMillis) => channel.request("again", {}, timeoutMillis))
) =>
  link.direct<DirectOptions, unknown, CallFailure>(
    { operation: "the call", timeoutMillis: 10_000, replayable: false, ...options },
    {
      method: "m",
      params: ({ operation, value }) => ({ of: operation, value }),
      read: (result) => typeof result === "string" ? Effect.succeed(result) : undefined,
      otherwise
    }
  )

/** Starts an effect, and lets everything happen that needs no time. */
export const started = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.tap(Effect.fork(Effect.either(effect)), settled)

export const failureOf = <A, E>(
  fiber: Fiber.Fiber<{ readonly _tag: "Left"; readonly left: E } | { readonly _tag: "Right"; readonly right: A }>
) =>
  Effect.flatMap(
    Fiber.join(fiber),
    (result) => result._tag === "Left" ? Effect.succeed(result.left) : Effect.dieMessage("it succeeded")
  )

/** Collects what a stream emits; its fiber ends with the stream. */
export const collected = <A, E>(stream: Stream.Stream<A, E>) =>
  Effect.gen(function*() {
    const seen: Array<A> = []
    const fiber = yield* Effect.fork(Stream.runForEach(stream, (item) => Effect.sync(() => seen.push(item))))
    yield* settled
    return { seen, fiber }
  })
