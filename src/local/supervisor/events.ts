import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Socket } from "node:net"
import { letOthersRun } from "../letOthersRun.js"
import { Drain } from "../protocol/drain.js"
import { encode } from "../supervision/Ring.js"
import { type Batch, type Cursor, Supervision } from "../supervision/Supervision.js"
import * as Answers from "./answers.js"
import * as Query from "./query.js"
import type { Answer, Route } from "./Route.js"

/** How many streams are open at most. */
export const mostStreams = 64

/** How often a stream says that it is still there, also where nothing happens: every 15 seconds, unless a test provides less. */
export class Heartbeat extends Context.Reference<Heartbeat>()("kruxos/local/supervisor/Heartbeat", {
  defaultValue: () => Duration.seconds(15)
}) {}

// What happens within this time is sent at once.
const pause = "5 millis"

// What a reader may take to fetch the rest when the gateway ends.
const grace = "250 millis"

const types = Schema.String.pipe(Schema.pattern(/^[a-z_]{1,64}(,[a-z_]{1,64}){0,63}$/))

const readQuery = Query.make({
  agent: Query.agent,
  type: Schema.optional(types),
  session: Schema.optional(Schema.String.pipe(Schema.pattern(/^[\w.-]{1,200}$/))),
  last_event_id: Schema.optional(Schema.String)
}, [
  Query.allowed.agent,
  "type is one type of event or several with commas between them",
  "session is the id of one",
  "last_event_id is the id of the last event that is known"
])

const lostText = (id: string, timestamp: DateTime.Utc, count: number) =>
  `id: ${id}\nevent: events_lost\ndata: ${encode({ type: "events_lost", timestamp, agent: null, data: { count } })}\n\n`

const full = Answers.refusal(
  503,
  `${mostStreams} streams of events are open, as many as may: close one that nobody reads`,
  { "retry-after": "5" }
)

const headersOf = (newest: string) => ({
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-accel-buffering": "no",
  "x-kruxos-newest-event": newest
})

/**
 * Makes what answers `/api/events`: what happens at the gateway, as server-sent events. A reader has a place in the gateway's memory of
 * the last events, and nothing is kept for it besides: one that is slow loses events, and is told how many. The streams end when
 * the gateway drains.
 */
export const make: Effect.Effect<Route, never, Drain | Supervision | Scope.Scope> = Effect.gen(function*() {
  const drain = yield* Drain
  const supervision = yield* Supervision
  const readers = new Set<Socket>()
  let beats = 0

  const beat = Effect.sync(() => {
    beats++
    supervision.nudge()
  })
  yield* Effect.forkScoped(Effect.forever(Effect.delay(beat, yield* Heartbeat)))

  // One that reads no more would hold up the gateway's end: what it has not taken by then is lost with the gateway anyway.
  const closeStreams = Effect.gen(function*() {
    yield* drain.begun
    supervision.nudge()
    yield* Effect.sleep(grace)
    for (const socket of readers) socket.destroy()
  })
  yield* Effect.forkScoped(closeStreams)

  const textOf = ({ events, lost }: Batch, cursor: Cursor, now: DateTime.Utc) => {
    const first = events[0]?.number
    const behind = first === undefined ? cursor.position() : supervision.print(first - 1)
    return (lost === 0 ? "" : lostText(behind, now, lost)) +
      events.map(({ json, number, type }) => `id: ${supervision.print(number)}\nevent: ${type}\ndata: ${json}\n\n`)
        .join("")
  }

  // Also where nothing of what was asked for has happened, the reader learns behind which id it may resume.
  const place = (comment: string, cursor: Cursor) => `: ${comment}\nid: ${cursor.position()}\n\n`

  const pieces = (cursor: Cursor, newest: string): Stream.Stream<string> => {
    let seen = beats
    const isDue = () => drain.isDraining() || !cursor.isAtEnd() || seen !== beats
    const wait = Effect.suspend(() =>
      cursor.isAtEnd() ? Effect.zipRight(supervision.changed(isDue), Effect.sleep(pause)) : letOthersRun
    )
    const next: Effect.Effect<string, Option.Option<never>> = Effect.gen(function*() {
      while (!drain.isDraining()) {
        const batch = cursor.take()
        const text = textOf(batch, cursor, yield* DateTime.now)
        if (seen === beats) {
          if (text !== "") return text
          yield* wait
        } else {
          seen = beats
          return text + place("still here", cursor)
        }
      }
      return yield* Effect.fail(Option.none())
    })
    return Stream.concat(
      Stream.make(`retry: 1000\n${place(`newest ${newest}`, cursor)}`),
      Stream.repeatEffectOption(next)
    )
  }

  const streamTo = (socket: Socket, cursor: Cursor, newest: string) =>
    Stream.unwrapScoped(Effect.gen(function*() {
      // Others may have come since the request was looked at.
      if (readers.size >= mostStreams) return Stream.empty
      yield* Effect.acquireRelease(
        Effect.sync(() => readers.add(socket)),
        () => Effect.sync(() => drain.isDraining() || readers.delete(socket))
      )
      return pieces(cursor, newest)
    }))

  return ({ method, path, query, request }) => {
    if (path.length > 0) return Effect.succeed(Answers.nothingHere)
    if (method !== "GET") return Effect.succeed(Answers.onlyGet)
    return Effect.gen(function*() {
      const { agent, last_event_id, session, type } = yield* readQuery(query)
      const header = request.headers["last-event-id"]
      const behind = Option.fromNullable(header === undefined || Array.isArray(header) ? last_event_id : header)
      const filter = { agent, session, types: type === undefined ? undefined : new Set(type.split(",")) }
      const cursor = yield* supervision.cursor(behind, filter)
      if (readers.size >= mostStreams) return full
      const newest = Option.isNone(behind) ? cursor.position() : supervision.newest()
      return HttpServerResponse.stream(Stream.encodeText(streamTo(request.socket, cursor, newest)), {
        contentType: "text/event-stream",
        headers: headersOf(newest)
      })
    }).pipe(
      Effect.catchTags({
        InvalidQuery: ({ message }) => Effect.succeed(Answers.refusal(400, message)),
        InvalidEventId: ({ message }) => Effect.succeed(Answers.refusal(400, message)),
        EventExpired: ({ message, newest }) => Effect.succeed<Answer>(Answers.json({ error: message, newest }, 410))
      })
    )
  }
})
