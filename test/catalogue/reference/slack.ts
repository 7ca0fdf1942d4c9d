import type { Reference } from "./Documented.js"

/** `slack.*`, as documented. */
export const slack: Reference = {
  "slack.search": {
    tier: "autonomous",
    version: "1.0",
    tags: "slack, messaging, read, search, safe",
    inputs: {
      channel: "String?",
      user: "String?",
      query: "String?",
      from_date: "String?",
      to_date: "String?",
      limit: "Integer? = 20",
      offset: "Integer? = 0"
    },
    outputs: { messages: "Array", total: "Integer" },
    errors: { DatabaseError: "retry_later" }
  },
  "slack.read": {
    tier: "autonomous",
    version: "1.0",
    tags: "slack, messaging, read, safe",
    inputs: { message_id: "String" },
    outputs: { message: "Object", thread_replies: "Array" },
    errors: { MessageNotFound: "search, wait_for_sync" }
  },
  "slack.channels": {
    tier: "autonomous",
    version: "1.0",
    tags: "slack, messaging, read, safe",
    inputs: {},
    outputs: { channels: "Array" },
    errors: { DatabaseError: "retry_later" }
  },
  "slack.send": {
    tier: "notify",
    version: "1.0",
    tags: "slack, messaging, write, buffered",
    inputs: { channel: "String", text: "String" },
    outputs: { write_id: "String", buffer_until: "String", status: "String" },
    errors: { WriteFailed: "retry_later", BatchProtection: "request_approval" },
    sideEffects: ["reversible"]
  },
  "slack.reply": {
    tier: "notify",
    version: "1.0",
    tags: "slack, messaging, write, buffered",
    inputs: { channel: "String", thread_ts: "String", text: "String" },
    outputs: { write_id: "String", buffer_until: "String", status: "String" },
    errors: { WriteFailed: "retry_later" },
    sideEffects: ["reversible"]
  },
  "slack.react": {
    tier: "autonomous",
    version: "1.0",
    tags: "slack, messaging, write, immediate",
    inputs: { channel: "String", ts: "String", reaction: "String" },
    outputs: { status: "String" },
    errors: { WriteFailed: "retry_later" },
    sideEffects: ["reversible"]
  },
  "slack.remove_react": {
    tier: "autonomous",
    version: "1.0",
    tags: "slack, messaging, write, immediate",
    inputs: { channel: "String", ts: "String", reaction: "String" },
    outputs: { status: "String" },
    errors: { WriteFailed: "retry_later" },
    sideEffects: ["reversible"]
  }
}
