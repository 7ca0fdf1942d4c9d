import type { Proses } from "../Prose.js"
import type * as entries from "../slack.js"

type Slack = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const channel = "The id of the channel, as slack.channels gives it."

const buffered = {
  write_id: "The id of the buffered write; keep it for proxy.cancel_write.",
  buffer_until: "When it is posted, as text; until then it can be cancelled.",
  status: "buffered: it waits."
}

const ts = "The time stamp of the message: its `ts`, as the search gives it."

const writeFailed = "Slack did not take it: the channel or the message is wrong, or the service is in trouble."

/** The words of `slack.*`. */
export const slack: Proses<Slack> = {
  "slack.search": {
    purpose: "Finds Slack messages by channel, author, text and date in the gateway's local copy.",
    whenToUse: "Use it to find messages and their ids; it makes no call to Slack, so ask as often as you like. For a " +
      "message with all replies take slack.read. The copy may be some minutes behind.",
    inputs: {
      channel: "Only messages of this channel.",
      user: "Only messages of this author: a part of the name, or the exact id.",
      query: "Text that the message contains.",
      from_date: "Only messages from this date on, such as 2025-01-31.",
      to_date: "Only messages up to this date.",
      limit: "How many messages to give at most, up to 100.",
      offset: "How many of the found messages to pass over, to go on where the last answer ended."
    },
    outputs: {
      messages:
        "The messages. thread_ts is set where a message belongs to a thread; synced_at says when it was copied.",
      total: "How many messages match, also those beyond limit."
    },
    errors: { DatabaseError: "The local copy could not be read." },
    sideEffects: [],
    commonPatterns: [{
      description: "Catch up on a channel",
      steps: [
        "slack.channels for its id",
        "slack.search with channel and from_date",
        "slack.read where there are replies"
      ]
    }]
  },
  "slack.read": {
    purpose: "Reads one Slack message with the replies in its thread.",
    whenToUse: "Use it once you have the id from slack.search, to see what was answered before you reply.",
    inputs: { message_id: "The id of the message: the channel's id, a slash, and the time stamp." },
    outputs: { message: "The message.", thread_replies: "The replies in its thread; empty when there are none." },
    errors: { MessageNotFound: "The local copy holds no message with this id, or not yet." },
    sideEffects: [],
    commonPatterns: [{
      description: "Answer in a thread",
      steps: ["slack.read of the message", "slack.reply with its channel_id and its ts as thread_ts"]
    }]
  },
  "slack.channels": {
    purpose: "Lists the Slack channels that the gateway sees, with topic and number of members.",
    whenToUse: "Use it to turn a channel's name into its id, or to choose where a message belongs.",
    inputs: {},
    outputs: { channels: "The channels: id, name, topic, number of members, whether private, when last synchronised." },
    errors: { DatabaseError: "The local copy could not be read." },
    sideEffects: [],
    commonPatterns: [{
      description: "Post in a channel known by name",
      steps: ["slack.channels and find the name", "slack.send with its id"]
    }]
  },
  "slack.send": {
    purpose: "Posts a message in a Slack channel, after 30 seconds in which it can be cancelled.",
    whenToUse:
      "Use it to start a subject. To answer somebody take slack.reply, which stays in the thread; for a mere " +
      "yes slack.react disturbs less. By default 10 an hour are let through for a channel.",
    inputs: { channel, text: "The text, in Slack's notation." },
    outputs: buffered,
    errors: {
      WriteFailed: writeFailed,
      BatchProtection: "More messages in the channel than the gateway lets through."
    },
    sideEffects: [
      "The message is posted after 30 seconds; proxy.cancel_write stops it before, and a rollback point is kept for " +
      "24 hours."
    ],
    commonPatterns: [{
      description: "Post, and think better of it",
      steps: ["slack.send and keep write_id", "proxy.cancel_write with it within 30 seconds"]
    }]
  },
  "slack.reply": {
    purpose: "Answers in the thread of a Slack message, after 30 seconds in which it can be cancelled.",
    whenToUse: "Use it for every answer to a message. To start something new in a channel take slack.send.",
    inputs: {
      channel,
      thread_ts: "The time stamp of the message that the thread begins with: its thread_ts, or its ts if it has none.",
      text: "The text, in Slack's notation."
    },
    outputs: buffered,
    errors: { WriteFailed: writeFailed },
    sideEffects: [
      "The reply is posted after 30 seconds; proxy.cancel_write stops it before, and a rollback point is kept for 24 hours."
    ],
    commonPatterns: [{
      description: "Answer a question",
      steps: ["slack.search for the question", "slack.read to see what was answered", "slack.reply in its thread"]
    }]
  },
  "slack.react": {
    purpose: "Adds an emoji reaction to a Slack message, at once.",
    whenToUse: "Use it to confirm or to mark a message without writing one. slack.remove_react takes it back.",
    inputs: { channel, ts, reaction: "The name of the emoji without colons, such as thumbsup." },
    outputs: { status: "ok when it is there." },
    errors: { WriteFailed: writeFailed },
    sideEffects: ["The message has the reaction; slack.remove_react takes it away."],
    commonPatterns: [{
      description: "Show that a request is being worked on",
      steps: ["slack.react with eyes", "Do the work", "slack.remove_react of eyes, and slack.reply with the result"]
    }]
  },
  "slack.remove_react": {
    purpose: "Takes a reaction of yours away from a Slack message, at once.",
    whenToUse: "Use it to undo slack.react, or when a mark no longer holds. Reactions of others stay.",
    inputs: { channel, ts, reaction: "The name of the emoji without colons, as it was added." },
    outputs: { status: "ok when it is gone." },
    errors: { WriteFailed: writeFailed },
    sideEffects: ["The message no longer has the reaction; slack.react puts it back."],
    commonPatterns: [{
      description: "Replace a mark",
      steps: ["slack.remove_react of the old emoji", "slack.react with the new one"]
    }]
  }
}
