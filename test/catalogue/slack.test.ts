import { describeCategory } from "./categorySuite.js"
import { slack as reference } from "./reference/slack.js"
import { slack as samples } from "./samples/slack.js"

describeCategory("slack", {
  reference,
  samples,
  wrong: {
    "slack.search": { input: { limit: 101 } },
    "slack.read": { output: { thread_replies: null } },
    "slack.channels": { output: { channels: [{ id: "C024BE91L" }] } },
    "slack.send": { input: { text: null } },
    "slack.reply": { input: { thread_ts: 1738310400.0001 } },
    "slack.react": { input: { reaction: ["thumbsup"] } },
    "slack.remove_react": { input: { ts: null }, output: { status: true } }
  },
  newer: {
    "slack.send": { status: "held" },
    "slack.reply": { status: "held" },
    "slack.react": { status: "queued" },
    "slack.remove_react": { status: "queued" }
  }
})
