import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { makeReader, type ServerSentEvent } from "../../local/supervision/eventStream.js"
import { SupervisionEvent } from "../../local/supervision/SupervisionEvent.js"
import { failureOf, requestOptions } from "./ask.js"
import { NotUnderstood, Refused, type TokenRefused, Unreachable } from "./failures.js"

/** What the stream of events tells its follower; all are called at once and must not fail. */
export interface Follower {
  /** The stream is open; `isNew` says that it begins now, so that what was before has to be asked for. */
  readonly opened: (isNew: boolean) => void
  /** These happened, in order. */
  readonly happened: (events: ReadonlyArray<SupervisionEvent>) => void
  /** Events were missed; undefined where the gateway cannot say how many. */
  readonly missed: (count: number | undefined) => void
  /** The stream is lost, and another attempt is made at that time (milliseconds since 1970). */
  readonly closed: (nextAttemptAt: number) => void
}

/** How long nothing may come: the gateway sends something every 15 seconds. */
const silence = "40 seconds"

const firstPause = 250

const longestPause = 5000

const decodeEvent = Schema.decodeUnknownOption(Schema.parseJson(SupervisionEvent))

const decodeCount = Schema.decodeUnknownOption(Schema.Struct({ count: Schema.Number }))

const path = "/api/events"

const dial = (token: Redacted.Redacted<string>, lastId: string | undefined, signal: AbortSignal) => {
  const common = requestOptions(token)
  return fetch(path, {
    ...common,
    signal,
    headers: {
      ...common.headers,
      accept: "text/event-stream",
      ...(lastId === undefined ? {} : { "last-event-id": lastId })
    }
  })
}

/**
 * Follows the gateway's events for ever: resumes behind the last one after a loss, with growing pauses. Fails only with
 * `TokenRefused`.
 */
export const follow = (
  token: Redacted.Redacted<string>,
  follower: Follower
): Effect.Effect<never, TokenRefused> => {
  let lastId: string | undefined
  let pause = firstPause

  const told = (events: ReadonlyArray<ServerSentEvent>) => {
    const happened: Array<SupervisionEvent> = []
    for (const { data, id, type } of events) {
      lastId = id ?? lastId
      const event = Option.getOrUndefined(decodeEvent(data))
      if (event !== undefined && type !== "events_lost") happened.push(event)
      else follower.missed(Option.getOrUndefined(Option.map(decodeCount(event?.data), ({ count }) => count)))
    }
    if (happened.length > 0) follower.happened(happened)
  }

  const unreachable = (cause: unknown) => new Unreachable({ cause })

  const once = Effect.gen(function*() {
    const controller = yield* Effect.acquireRelease(
      Effect.sync(() => new AbortController()),
      (made) => Effect.sync(() => made.abort())
    )
    const isNew = lastId === undefined
    const response = yield* Effect.tryPromise({
      try: () => dial(token, lastId, controller.signal),
      catch: unreachable
    }).pipe(Effect.timeoutFail({ duration: "20 seconds", onTimeout: () => unreachable("no answer") }))
    if (!response.ok || response.body === null) {
      const text = yield* Effect.tryPromise({ try: () => response.text(), catch: unreachable })
      const failure = failureOf(response.status, text) ?? new Refused({ status: response.status, message: "no body" })
      if (failure._tag === "Refused" && (failure.status === 410 || failure.status === 400)) {
        lastId = undefined
        if (!isNew) return follower.missed(undefined)
      }
      return yield* failure
    }
    if (isNew) lastId = response.headers.get("x-kruxos-newest-event") ?? undefined
    follower.opened(isNew)
    const body = response.body.getReader()
    const read = makeReader()
    const text = new TextDecoder()
    while (true) {
      const { done, value } = yield* Effect.tryPromise({ try: () => body.read(), catch: unreachable }).pipe(
        Effect.timeoutFail({ duration: silence, onTimeout: () => unreachable("silence") })
      )
      if (done) return
      pause = firstPause
      const events = read(text.decode(value, { stream: true }))
      if (Either.isLeft(events)) {
        lastId = undefined
        return yield* new NotUnderstood({ path, cause: events.left })
      }
      told(events.right)
    }
  }).pipe(Effect.scoped)

  const attempt = once.pipe(
    Effect.catchTags({ Unreachable: () => Effect.void, Refused: () => Effect.void, NotUnderstood: () => Effect.void }),
    Effect.zipRight(Clock.currentTimeMillis),
    Effect.flatMap((now) => {
      const wait = pause
      pause = Math.min(longestPause, pause * 2)
      follower.closed(now + wait)
      return Effect.sleep(wait)
    })
  )
  return Effect.forever(attempt)
}
