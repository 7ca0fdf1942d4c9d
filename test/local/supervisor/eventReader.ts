import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { makeReader } from "../../../src/local/supervision/eventStream.js"
import { until, within } from "../../support/deadline.js"
import type { TestGateway } from "../../support/gateway.js"

/** An event as it came. */
export interface Received {
  readonly id: string | undefined
  readonly type: string
  readonly event: unknown
}

/** Somebody who reads a gateway's events. */
export interface EventReader {
  readonly status: number
  readonly headers: Headers
  /** All that has come so far. */
  readonly text: () => string
  readonly events: () => ReadonlyArray<Received>
  /** Waits until so many events have come. */
  readonly atLeast: (count: number) => Effect.Effect<ReadonlyArray<Received>>
  readonly hasEnded: () => boolean
  readonly close: Effect.Effect<void>
}

/** Reads a gateway's events until the scope ends, or until it is closed. */
export const readEvents = (
  gateway: Pick<TestGateway, "api" | "supervisorToken">,
  query = "",
  headers: Record<string, string> = {}
): Effect.Effect<EventReader, never, Scope.Scope> =>
  Effect.gen(function*() {
    const abort = yield* Effect.acquireRelease(
      Effect.sync(() => new AbortController()),
      (made) => Effect.sync(() => made.abort())
    )
    const response = yield* Effect.promise(() =>
      fetch(`${gateway.api}/events${query}`, {
        signal: abort.signal,
        headers: { authorization: `Bearer ${gateway.supervisorToken}`, ...headers }
      })
    ).pipe(within("the events"))
    const read = makeReader()
    const decoder = new TextDecoder()
    const pieces: Array<string> = []
    const received: Array<Received> = []
    let ended = false
    const take = (piece: Uint8Array) => {
      const text = decoder.decode(piece, { stream: true })
      pieces.push(text)
      for (const { data, id, type } of Either.getOrThrow(read(text))) {
        received.push({ id, type, event: JSON.parse(data) })
      }
    }
    // It fails where it is closed, or cut off.
    const body = Stream.fromReadableStream(() => response.body ?? new ReadableStream<Uint8Array>(), () => "cut off")
    yield* Effect.forkScoped(
      Stream.runForEach(body, (piece) => Effect.sync(() => take(piece))).pipe(
        Effect.ensuring(Effect.sync(() => {
          ended = true
        })),
        Effect.ignore
      )
    )
    return {
      status: response.status,
      headers: response.headers,
      text: () => pieces.join(""),
      events: () => received,
      atLeast: (count) => Effect.as(until(`${count} events`, Effect.sync(() => received.length >= count)), received),
      hasEnded: () => ended,
      close: Effect.zipRight(
        Effect.sync(() => abort.abort()),
        until("the end of the stream", Effect.sync(() => ended))
      )
    }
  })
