import type { Samples } from "./Sample.js"

/** An input and an output of each capability of `comms.*`, as they go over the wire. */
export const comms = {
  "comms.send": {
    input: { to: "reviewer", message: "Please look at next", priority: "high" },
    output: { message_id: "msg-1", status: "queued", to: "reviewer" }
  },
  "comms.broadcast": {
    input: {
      message: "The build is frozen",
      filter: { policy_group: "team-moderate", name_pattern: "build-*" },
      priority: "low"
    },
    output: { message_id: "msg-2", delivery_count: 3, delivered: 1, queued: 2 }
  },
  "comms.subscribe": {
    input: { channel: "releases" },
    output: { subscription_id: "sub-1", channel: "releases" }
  },
  "comms.receive": {
    input: { limit: 2, channel: "releases", acknowledge: false },
    output: {
      messages: [
        {
          message_id: "msg-3",
          from: "releases",
          message: "1.4 is out",
          priority: "high",
          sent_at: "2025-01-31T08:00:00.000Z",
          channel: "releases"
        },
        {
          message_id: "msg-4",
          from: "reviewer",
          message: "Looks good",
          priority: "normal",
          sent_at: "2025-01-31T08:05:00.000Z",
          channel: null
        }
      ],
      remaining: 1
    }
  }
} satisfies Samples
