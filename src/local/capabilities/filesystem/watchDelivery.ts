import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { InboxService } from "../../store/Inbox.js"
import { fromSegments } from "../../workspace/pathForm.js"
import type { RawEvent } from "./watcher.js"
import { type FileEvent, knownFiles, translate, type Watched } from "./watchEvents.js"

/** The most events that wait to be delivered; what comes on top is lost, and counted. */
const maximumWaiting = 1_000

/** Takes events from the watcher's own thread, at once. `undefined`: some were lost. */
export type Receive = (events: ReadonlyArray<RawEvent> | undefined) => void

const messageOf = (watchId: string, { path }: Watched, { oldRelative, relative, type }: FileEvent): string => {
  const display = (below: string) =>
    fromSegments([...path.segments, ...below.split("/").filter((name) => name !== "")]).display
  return JSON.stringify({
    watch_id: watchId,
    type,
    path: display(relative),
    ...(oldRelative === undefined ? {} : { old_path: display(oldRelative) })
  })
}

/**
 * Delivers what happens in a watched directory to an agent's inbox, one message an event, until the scope ends. When the
 * inbox is full events are dropped, and one `overflow` message tells how many as soon as there is room again.
 */
export const startDelivery = (
  inbox: InboxService,
  watchId: string,
  agent: string,
  watched: Watched
): Effect.Effect<
  { readonly receive: Receive; readonly begin: Effect.Effect<void, never, Scope.Scope> },
  never,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const queue = yield* Effect.acquireRelease(Queue.dropping<RawEvent>(maximumWaiting), Queue.shutdown)
    let lost = 0

    const receive: Receive = (events) => {
      if (events === undefined) lost++
      else for (const event of events) if (!queue.unsafeOffer(event)) lost++
    }

    /** Whether the message was delivered. */
    const deliver = (message: string): Effect.Effect<boolean> =>
      inbox.deliver({ agent, from: "filesystem.watch", channel: `watch:${watchId}`, message }).pipe(
        Effect.as(true),
        Effect.catchTags({
          InboxFull: () => Effect.succeed(false),
          SqlError: (error) => Effect.as(Effect.logWarning("An event of a watch was not delivered", error), false)
        })
      )

    const tellLoss = Effect.suspend(() => {
      const dropped = lost
      if (dropped === 0) return Effect.succeed(true)
      lost = 0
      return Effect.tap(
        deliver(JSON.stringify({ watch_id: watchId, type: "overflow", path: watched.path.display, dropped })),
        (delivered) => {
          if (!delivered) lost += dropped
          return Effect.void
        }
      )
    })

    const tell = (event: FileEvent) =>
      Effect.gen(function*() {
        if (!(yield* tellLoss) || !(yield* deliver(messageOf(watchId, watched, event)))) lost++
      })

    const begin = Effect.gen(function*() {
      const known = yield* knownFiles(watched)
      yield* Queue.take(queue).pipe(
        // What came along with the first event is in the queue by now.
        Effect.flatMap((first) => Effect.map(Queue.takeAll(queue), (more) => [first, ...more])),
        Effect.flatMap((batch) => translate(watched, known, batch)),
        Effect.flatMap(Effect.forEach(tell, { discard: true })),
        Effect.forever,
        Effect.forkScoped
      )
      yield* Effect.forkScoped(Effect.schedule(tellLoss, Schedule.spaced("1 second")))
    })

    return { receive, begin }
  })
