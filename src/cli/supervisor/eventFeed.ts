import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { events, type ServerSentEvent } from "../../local/supervision/eventStream.js"
import { type CommandFailed, failed } from "../exit.js"
import { oneLine } from "../text.js"
import { lost, refusal, requestOf, type Target, unreachable, within30Seconds } from "./client.js"

/** What is to be seen of what happens at a gateway. */
export interface Filter {
  readonly agent?: string | undefined
  readonly types?: ReadonlyArray<string> | undefined
  readonly session?: string | undefined
}

/** A gateway no longer has, or never had, what came behind an id. */
export class PositionLost extends Data.TaggedError("PositionLost")<{
  /** The id of the newest event there, if there is any. */
  readonly newest: Option.Option<string>
}> {}

/** A connection to what happens at a gateway. */
export interface Feed {
  /** The id that the feed begins behind, if the gateway says so. */
  readonly beginsBehind: Option.Option<string>
  /** Also its places, with an empty type. Fails when the connection ends, however it does. */
  readonly events: Stream.Stream<ServerSentEvent, CommandFailed>
}

/** A gateway says something every 15 seconds, if only that it is there. */
const longestSilence: Duration.DurationInput = "45 seconds"

const decodeNewest = Schema.decodeUnknownOption(Schema.parseJson(Schema.Struct({ newest: Schema.String })))

/** The parameters that the filter is, as far as `/api/activity` and `/api/events` take the same. */
export const parametersOf = ({ agent, session, types }: Filter): URLSearchParams =>
  new URLSearchParams({
    ...(agent === undefined ? {} : { agent }),
    ...(types === undefined ? {} : { type: types.join(",") }),
    ...(session === undefined ? {} : { session })
  })

/** Connects to what happens at a gateway: from now on, or behind the event of an id. The connection ends with the scope. */
export const connect = (
  target: Target,
  filter: Filter,
  behind: Option.Option<string>,
  silence: Duration.DurationInput = longestSilence
): Effect.Effect<Feed, CommandFailed | PositionLost, Scope.Scope> =>
  Effect.gen(function*() {
    const controller = yield* Effect.acquireRelease(
      Effect.sync(() => new AbortController()),
      (controller) => Effect.sync(() => controller.abort())
    )
    const headers = {
      accept: "text/event-stream",
      ...Option.match(behind, { onNone: () => ({}), onSome: (id) => ({ "last-event-id": id }) })
    }
    const answered = <A>(run: () => Promise<A>) =>
      within30Seconds(target)(Effect.tryPromise({ try: run, catch: (cause) => unreachable(target.api, cause) }))
    const response = yield* answered(() =>
      fetch(`${target.api}/events?${parametersOf(filter)}`, {
        ...requestOf(target, headers),
        signal: controller.signal
      })
    )
    const { body } = response
    const type = response.headers.get("content-type") ?? ""
    if (!response.ok || body === null || !/^text\/event-stream\b/i.test(type)) {
      const text = yield* answered(() => response.text())
      if (response.status === 410) {
        return yield* new PositionLost({ newest: Option.map(decodeNewest(text), ({ newest }) => newest) })
      }
      return yield* response.ok
        ? failed(oneLine(`What ${target.api} answers is not understood: is it a gateway of this version?`))
        : refusal(target, response.status, text)
    }
    const bytes = Stream.fromReadableStream({ evaluate: () => body, onError: (cause) => lost(target.api, cause) }).pipe(
      Stream.timeoutFail(() => failed(oneLine(`The gateway at ${target.api} has fallen silent`)), silence)
    )
    return {
      beginsBehind: Option.fromNullable(response.headers.get("x-kruxos-newest-event")),
      events: events(bytes, { withPlaces: true }).pipe(
        Stream.catchTag("EventTooLong", ({ message }) => Stream.fail(failed(message))),
        Stream.concat(Stream.fail(failed(oneLine(`The gateway at ${target.api} has ended the connection`))))
      )
    }
  })
