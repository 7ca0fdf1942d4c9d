import type { Samples } from "./Sample.js"

const message = {
  id: "18c2f0a91b",
  thread_id: "18c2f0a900",
  from: "Ada <ada@example.org>",
  to: "agent@example.org",
  subject: "Invoice 17",
  snippet: "Please find attached",
  labels: ["INBOX", "Invoices"],
  date: "2025-01-31T08:00:00.000Z",
  is_read: false,
  has_attachments: true
}

const buffered = { write_id: "wr-17", buffer_until: "2025-01-31T08:05:00.000Z", status: "buffered" }

/** An input and an output of each capability of `email.*`, as they go over the wire. */
export const email = {
  "email.search": {
    input: { query: "invoice", label: "INBOX", is_read: false, limit: 100, offset: 20 },
    output: { messages: [message], total: 21 }
  },
  "email.read": {
    input: { message_id: "18c2f0a91b" },
    output: {
      message,
      body: {
        message_id: "18c2f0a91b",
        text_plain: "Please find attached\n",
        text_html: null,
        cached_at: "2025-01-31T08:01:00.000Z"
      }
    }
  },
  "email.send": {
    input: { to: "ada@example.org, bob@example.org", subject: "Report", body: "Done.", cc: "eve@example.org" },
    output: buffered
  },
  "email.delete": {
    input: { message_id: "18c2f0a91b" },
    output: { ...buffered, buffer_until: "2025-02-01T08:00:00.000Z" }
  },
  "email.move": {
    input: { message_id: "18c2f0a91b", add_labels: ["Paid"], remove_labels: ["INBOX"] },
    output: { ...buffered, buffer_until: "2025-01-31T09:00:00.000Z" }
  },
  "email.draft": {
    input: { to: "ada@example.org", body: "Dear Ada," },
    output: { draft_id: "dr-4", to: "ada@example.org", subject: "(no subject)" }
  },
  "email.bulk_delete": {
    input: { message_ids: ["18c2f0a91b", "18c2f0a91c"] },
    output: { error: "Deleting many messages at once is blocked" }
  }
} satisfies Samples
