import * as Schema from "effect/Schema"
import { knownFeatures } from "../../schema/Session.js"

/** The version of the form that is written. */
export const version = 1

// `step` orders all that happened; `at` says when it did, in milliseconds from the beginning.
const Moment = { step: Schema.Number, at: Schema.Number }

const WireError = Schema.Struct({
  code: Schema.Number,
  message: Schema.String,
  data: Schema.optional(Schema.Unknown)
})

/** How a request ended: one of the fields is there. */
const Answer = Schema.Struct({
  ...Moment,
  result: Schema.optional(Schema.Unknown),
  error: Schema.optional(WireError),
  /** The connection was lost before the answer came. */
  dropped: Schema.optional(Schema.Struct({ code: Schema.Number, reason: Schema.String })),
  /** The gateway no longer knew the session. */
  sessionLost: Schema.optional(WireError),
  /** Nobody waited for the answer any more: the deadline, or an interruption. */
  abandoned: Schema.optional(Schema.Literal("deadline", "interrupted"))
})

const Exchange = Schema.Struct({
  ...Moment,
  request: Schema.String,
  params: Schema.optional(Schema.Unknown),
  /** What progress of this request is told under. */
  progressToken: Schema.optional(Schema.Number),
  /** Absent where the recording ended first. */
  answer: Schema.optional(Answer)
})

const Notification = Schema.Struct({
  ...Moment,
  notification: Schema.String,
  params: Schema.optional(Schema.Unknown)
})

const SessionText = Schema.optional(Schema.String)

const Connected = Schema.Struct({
  ...Moment,
  connected: Schema.Struct({
    session: Schema.Struct({
      id: SessionText,
      agent: SessionText,
      createdAt: Schema.optional(Schema.DateTimeUtc),
      serverName: SessionText,
      serverVersion: SessionText,
      protocolVersion: SessionText
    }),
    dialect: Schema.Literal("native", "mcp"),
    features: Schema.Array(Schema.Literal(...knownFeatures)),
    outcomeRecord: Schema.optional(Schema.String),
    isResumed: Schema.Boolean
  })
})

const Disconnected = Schema.Struct({ ...Moment, disconnected: Schema.Literal(true) })

const Ended = Schema.Struct({
  ...Moment,
  ended: Schema.Struct({
    type: Schema.Literal("ConnectionFailed", "AuthenticationFailed"),
    message: Schema.String
  })
})

const Entry = Schema.Union(Exchange, Notification, Connected, Disconnected, Ended)

/** What went over one connection. */
export const Cassette = Schema.Struct({
  version: Schema.Literal(version),
  /** Whether the gateway could send anything by itself. */
  pushes: Schema.Boolean,
  /** In the order of their steps. */
  entries: Schema.Array(Entry)
})
export type Cassette = typeof Cassette.Type

export type Answer = typeof Answer.Type
export type Entry = typeof Entry.Type
export type Exchange = typeof Exchange.Type

export const isExchange = (entry: Entry): entry is Exchange => "request" in entry
