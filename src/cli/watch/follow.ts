import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { ServerSentEvent } from "../../local/supervision/eventStream.js"
import type { CommandFailed } from "../exit.js"
import type { Target } from "../supervisor/client.js"
import { connect, type Filter } from "../supervisor/eventFeed.js"
import * as Missed from "./missed.js"

/** What is done with what happens. */
export interface Watcher {
  /** Done once, behind the first connection: what happens from then on comes after it. */
  readonly onBegin: (target: Target) => Effect.Effect<void, CommandFailed>
  readonly onEvent: (event: ServerSentEvent) => Effect.Effect<void>
  /** Told that the gateway is lost or found again, and what was missed. */
  readonly onNotice: (text: string) => Effect.Effect<void>
}

const EventsLost = Schema.parseJson(Schema.Struct({ data: Schema.Struct({ count: Schema.Int }) }))

const decodeLost = Schema.decodeUnknownOption(EventsLost)

/** 250 ms, doubled after each failure up to 2 s; and up to half as long again, lest all come back at once. */
const pause = (failures: number) =>
  Effect.map(
    Random.nextRange(1, 1.5),
    (factor) => Duration.millis(Math.min(2000, 250 * 2 ** Math.min(failures, 10)) * factor)
  )

/**
 * Follows what happens at a gateway, over its restarts and losses of the connection, and never ends but by failing: where the gateway
 * is not there at the beginning. It is looked for anew each time.
 */
export const follow = <R>(
  find: Effect.Effect<Target, CommandFailed, R>,
  filter: Filter,
  { onBegin, onEvent, onNotice }: Watcher,
  silence?: Duration.DurationInput
): Effect.Effect<never, CommandFailed, R> =>
  Effect.suspend(() => {
    let last = Option.none<string>()
    let hasBegun = false
    let isLost = false
    let missed = Missed.unknown
    let failures = 0

    const take = (event: ServerSentEvent) =>
      Effect.gen(function*() {
        const lost = event.type === "events_lost" ? decodeLost(event.data) : Option.none()
        if (Option.isSome(lost)) yield* onNotice(Missed.count(lost.value.data.count, filter))
        if (event.type !== "") yield* onEvent(event)
        last = Option.orElse(Option.fromNullable(event.id), () => last)
      })

    const once = Effect.gen(function*() {
      const target = yield* find
      const feed = yield* connect(target, filter, last, silence)
      if (isLost) yield* onNotice("The gateway answers again")
      if (hasBegun && Option.isNone(last)) yield* onNotice(missed)
      isLost = false
      missed = Missed.unknown
      failures = 0
      last = Option.orElse(last, () => feed.beginsBehind)
      if (!hasBegun) yield* onBegin(target)
      hasBegun = true
      yield* Stream.runForEach(feed.events, take)
    }).pipe(Effect.scoped)

    const wait = Effect.flatMap(Effect.suspend(() => pause(failures++)), Effect.sleep)

    return once.pipe(
      Effect.catchTags({
        CommandFailed: (failure) =>
          Effect.gen(function*() {
            if (!hasBegun) return yield* failure
            // It may be starting again: on the same data it is found again, wherever it listens then.
            if (!isLost) yield* onNotice(failure.message)
            isLost = true
            yield* wait
          }),
        PositionLost: ({ newest }) =>
          Effect.gen(function*() {
            // Asked for nothing in particular, it cannot have lost it.
            if (Option.isNone(last)) return yield* wait
            missed = Missed.behind(last, newest, filter)
            last = Option.none()
          })
      }),
      Effect.forever
    )
  })
