import * as Schema from "effect/Schema"
import { BatchProtection, CapabilityUnavailable } from "../errors/general.js"
import { MessageNotFound, WriteFailed } from "../errors/proxy.js"
import { DateTimeUtc, Integer, Json, NonNegativeInteger, openEnumeration } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

// What `reactions` looks like is not documented, and only a message of a thread has the time stamp of one.
const Message = Schema.Struct({
  id: Schema.String,
  channel_id: Schema.String,
  user_id: Schema.String,
  user_name: Schema.String,
  text: Schema.String,
  ts: Schema.String,
  thread_ts: Schema.NullishOr(Schema.String),
  reactions: Schema.optional(Json),
  synced_at: DateTimeUtc
})

// `buffer_until` is documented as text here, other than for mail.
const buffered = { write_id: Schema.String, buffer_until: Schema.String, status: openEnumeration("buffered") }

const immediate = { status: openEnumeration("ok") }

const reaction = { channel: Schema.String, ts: Schema.String, reaction: Schema.String }

export const search = make("slack.search", {
  tier: "autonomous",
  tags: ["slack", "messaging", "read", "search", "safe"],
  inputs: {
    channel: optional(Schema.String),
    user: optional(Schema.String),
    query: optional(Schema.String),
    from_date: optional(Schema.String),
    to_date: optional(Schema.String),
    limit: optional(Integer.pipe(Schema.between(1, 100)), 20),
    offset: optional(NonNegativeInteger, 0)
  },
  outputs: { messages: Schema.Array(Message), total: Integer },
  errors: { DatabaseError: failure(CapabilityUnavailable, "retry_later") }
})

export const read = make("slack.read", {
  tier: "autonomous",
  tags: ["slack", "messaging", "read", "safe"],
  inputs: { message_id: Schema.String },
  outputs: { message: Message, thread_replies: Schema.Array(Message) },
  errors: { MessageNotFound: failure(MessageNotFound, "search", "wait_for_sync") }
})

export const channels = make("slack.channels", {
  tier: "autonomous",
  tags: ["slack", "messaging", "read", "safe"],
  inputs: {},
  outputs: {
    channels: Schema.Array(Schema.Struct({
      id: Schema.String,
      name: Schema.String,
      topic: Schema.String,
      member_count: Integer,
      is_private: Schema.Boolean,
      synced_at: DateTimeUtc
    }))
  },
  errors: { DatabaseError: failure(CapabilityUnavailable, "retry_later") }
})

export const send = make("slack.send", {
  tier: "notify",
  tags: ["slack", "messaging", "write", "buffered"],
  inputs: { channel: Schema.String, text: Schema.String },
  outputs: buffered,
  errors: {
    WriteFailed: failure(WriteFailed, "retry_later"),
    BatchProtection: failure(BatchProtection, "request_approval")
  },
  sideEffects: ["reversible"]
})

export const reply = make("slack.reply", {
  tier: "notify",
  tags: ["slack", "messaging", "write", "buffered"],
  inputs: { channel: Schema.String, thread_ts: Schema.String, text: Schema.String },
  outputs: buffered,
  errors: { WriteFailed: failure(WriteFailed, "retry_later") },
  sideEffects: ["reversible"]
})

export const react = make("slack.react", {
  tier: "autonomous",
  tags: ["slack", "messaging", "write", "immediate"],
  inputs: reaction,
  outputs: immediate,
  errors: { WriteFailed: failure(WriteFailed, "retry_later") },
  sideEffects: ["reversible"]
})

export const removeReact = make("slack.remove_react", {
  tier: "autonomous",
  tags: ["slack", "messaging", "write", "immediate"],
  inputs: reaction,
  outputs: immediate,
  errors: { WriteFailed: failure(WriteFailed, "retry_later") },
  sideEffects: ["reversible"]
})
