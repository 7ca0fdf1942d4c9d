import type { Samples } from "./Sample.js"

/** An input and an output of each capability of `proxy.*`, as they go over the wire. */
export const proxy = {
  "proxy.cancel_write": {
    input: { write_id: "wr-17" },
    output: { cancelled: true, write_id: "wr-17", status: "cancelled" }
  },
  "proxy.list_writes": {
    input: { status: "all" },
    output: {
      writes: [
        {
          write_id: "wr-17",
          service: "email",
          operation: "send",
          status: "cancelled",
          buffer_until: "2025-01-31T08:05:00.000Z",
          cancellable: false
        },
        {
          write_id: "wr-18",
          service: "slack",
          operation: "reply",
          status: "buffered",
          buffer_until: "2025-01-31T08:00:30.000Z",
          cancellable: true
        }
      ],
      total: 2
    }
  }
} satisfies Samples
