import * as Effect from "effect/Effect"
import type { SupervisionEvent } from "../../local/supervision/SupervisionEvent.js"
import type { Client } from "../client/Client.js"
import { makeCell } from "./Cell.js"
import { type FeedFilter, maximumRows, noFeed, withEvents, withLog } from "./Feed.js"
import { typesOf } from "./kinds.js"
import { makePairing } from "./pairing.js"

const pageSize = 100

/** How long the feed stays as it is at least, in milliseconds: nobody reads faster, and a flood leaves the page time for its person. */
const calm = 200

/** Makes what knows what happened. What the stream brings is shown a few times a second, however much it is. */
export const makeActivity = (client: Client) => {
  const feed = makeCell(noFeed)
  let waiting: Array<SupervisionEvent> = []
  let uncounted = 0
  let paired = makePairing()
  let isScheduled = false
  let shownAt = -calm

  const flush = (frameAt: number) => {
    if (frameAt - shownAt < calm) return void requestAnimationFrame(flush)
    shownAt = frameAt
    isScheduled = false
    const events = waiting
    const left = uncounted
    waiting = []
    uncounted = 0
    feed.update((before) => {
      const after = withEvents(before, events)
      return { ...after, received: after.received + left }
    })
  }

  const happened = (events: ReadonlyArray<SupervisionEvent>) => {
    for (const event of events) waiting.push(paired(event))
    // A hidden page has no frames: what will not be shown any more is only counted.
    if (waiting.length > 2 * maximumRows) uncounted += waiting.splice(0, waiting.length - maximumRows).length
    if (isScheduled) return
    isScheduled = true
    requestAnimationFrame(flush)
  }

  const ask = ({ agent, kind }: FeedFilter, offset: number) =>
    client.activity({ limit: pageSize, offset, agent, type: typesOf(kind)?.join(",") })

  const load = Effect.suspend(() => {
    const { filter } = feed.get()
    return Effect.map(
      ask(filter, 0),
      ({ activity, total }) =>
        feed.update((before) => before.filter === filter ? withLog({ ...before, log: [] }, activity, total) : before)
    )
  })

  const loadOlder = Effect.suspend(() => {
    const { filter, log, logTotal = 0 } = feed.get()
    return ask(filter, log.length).pipe(
      // What was added meanwhile has moved what is older.
      Effect.flatMap((answer) =>
        answer.total > logTotal ? ask(filter, log.length + answer.total - logTotal) : Effect.succeed(answer)
      ),
      Effect.map(({ activity }) =>
        feed.update((before) => before.filter === filter ? withLog(before, activity, logTotal) : before)
      )
    )
  })

  return {
    feed,
    happened,
    /** Asks for everything anew. */
    reload: Effect.suspend(() => {
      paired = makePairing()
      feed.update((before) => ({ ...before, live: [], log: [], logTotal: undefined }))
      return load
    }),
    /** Asks for what is older than what is shown. */
    loadOlder,
    /** Shows something else, and asks for it. */
    show: (filter: FeedFilter) =>
      Effect.suspend(() => {
        feed.update((before) => ({ ...before, filter, log: [], logTotal: undefined }))
        return load
      })
  }
}

/** Knows what happened. */
export type Activity = ReturnType<typeof makeActivity>
