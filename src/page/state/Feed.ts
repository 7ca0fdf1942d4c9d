import * as DateTime from "effect/DateTime"
import type { SupervisionEvent } from "../../local/supervision/SupervisionEvent.js"
import type { ActivityView } from "../schemas/Activity.js"
import { includes, type Kind } from "./kinds.js"
import { makePairing } from "./pairing.js"

/** Something that happened, with a number of its own in this page. */
export interface Row {
  readonly number: number
  readonly event: SupervisionEvent
  /** By what it is known that a row of the stream and one of the log are about the same. */
  readonly identities: ReadonlyArray<string>
}

/** Which of what happened is asked for: of one agent or of all, and of which kind. */
export interface FeedFilter {
  readonly agent: string | undefined
  readonly kind: Kind
}

/** What happened, each list with the newest first. */
export interface Feed {
  readonly filter: FeedFilter
  /** What the stream brought, whatever the filter says. */
  readonly live: ReadonlyArray<Row>
  /** How many events the stream has brought since this page is open. */
  readonly received: number
  /** Entries of the audit log that the filter lets through. */
  readonly log: ReadonlyArray<Row>
  /** How many entries there were when the log was last asked; undefined as long as it was not. */
  readonly logTotal: number | undefined
}

export const noFeed: Feed = {
  filter: { agent: undefined, kind: "outcomes" },
  live: [],
  received: 0,
  log: [],
  logTotal: undefined
}

/** How many rows of the stream are kept; older ones are in the log. */
export const maximumRows = 1000

const identity = ({ agent, data, timestamp, type }: SupervisionEvent, as: string = type): string =>
  [
    as,
    DateTime.toEpochMillis(timestamp),
    agent,
    data["capability"],
    data["approval_id"] ?? data["session_id"],
    data["transaction_id"]
  ].join("|")

// The log has one entry for what began and ended before it was written, with the time of the beginning.
const identities = (event: SupervisionEvent): ReadonlyArray<string> =>
  "arguments" in event.data ? [identity(event), identity(event, "capability_invoked")] : [identity(event)]

let lastNumber = 0

const rowOf = (event: SupervisionEvent, identities: ReadonlyArray<string>): Row => ({
  number: ++lastNumber,
  event,
  identities
})

/** The feed with what the stream has brought, which is in order. */
export const withEvents = (feed: Feed, events: ReadonlyArray<SupervisionEvent>): Feed => {
  const added = events.slice(-maximumRows).map((event) => rowOf(event, [identity(event)])).reverse()
  return { ...feed, live: [...added, ...feed.live].slice(0, maximumRows), received: feed.received + events.length }
}

/** The feed with older entries of the log. */
export const withLog = (feed: Feed, entries: ReadonlyArray<ActivityView>, total: number): Feed => {
  const paired = makePairing()
  const added = [...entries].reverse().map(({ sequence: _, ...event }) => rowOf(paired(event), identities(event)))
    .reverse()
  return { ...feed, log: [...feed.log, ...added], logTotal: total }
}

/** Whether the filter lets an event through. */
export const passes = ({ agent, kind }: FeedFilter, event: SupervisionEvent): boolean =>
  (agent === undefined || event.agent === agent) && includes(kind, event.type)

/** What there is to show, the newest first: what the stream brought, and what the log has besides. */
export const shown = ({ filter, live, log }: Feed): ReadonlyArray<Row> => {
  const known = new Set(live.flatMap(({ identities }) => identities))
  return [
    ...live.filter(({ event }) => passes(filter, event)),
    ...log.filter(({ event, identities }) => passes(filter, event) && !identities.some((one) => known.has(one)))
  ]
}
