import type { Samples } from "./Sample.js"

const message = {
  id: "C024BE91L/1738310400.000100",
  channel_id: "C024BE91L",
  user_id: "U023BECGF",
  user_name: "ada",
  text: "Is the build green?",
  ts: "1738310400.000100",
  thread_ts: null,
  reactions: [{ name: "eyes", count: 1, users: ["U0G9QF9C6"] }],
  synced_at: "2025-01-31T08:00:30.000Z"
}

const reply = {
  ...message,
  id: "C024BE91L/1738310460.000200",
  user_id: "U0G9QF9C6",
  user_name: "bob",
  text: "It is.",
  ts: "1738310460.000200",
  thread_ts: "1738310400.000100",
  reactions: []
}

const buffered = { write_id: "wr-18", buffer_until: "2025-01-31T08:00:30Z", status: "buffered" }

const reaction = { channel: "C024BE91L", ts: "1738310400.000100", reaction: "thumbsup" }

/** An input and an output of each capability of `slack.*`, as they go over the wire. */
export const slack = {
  "slack.search": {
    input: {
      channel: "C024BE91L",
      user: "ada",
      query: "build",
      from_date: "2025-01-01",
      to_date: "2025-01-31",
      limit: 50,
      offset: 0
    },
    output: { messages: [message, reply], total: 2 }
  },
  "slack.read": {
    input: { message_id: "C024BE91L/1738310400.000100" },
    output: { message, thread_replies: [reply] }
  },
  "slack.channels": {
    input: {},
    output: {
      channels: [{
        id: "C024BE91L",
        name: "builds",
        topic: "What the builds say",
        member_count: 12,
        is_private: false,
        synced_at: "2025-01-31T08:00:30.000Z"
      }]
    }
  },
  "slack.send": { input: { channel: "C024BE91L", text: "The build is green." }, output: buffered },
  "slack.reply": {
    input: { channel: "C024BE91L", thread_ts: "1738310400.000100", text: "It is green." },
    output: buffered
  },
  "slack.react": { input: reaction, output: { status: "ok" } },
  "slack.remove_react": { input: reaction, output: { status: "ok" } }
} satisfies Samples
