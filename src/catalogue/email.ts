import * as Schema from "effect/Schema"
import { BodyFetchFailed, OperationBlocked } from "../errors/email.js"
import { BatchProtection, CapabilityUnavailable, InvalidInput } from "../errors/general.js"
import { MessageNotFound, WriteFailed } from "../errors/proxy.js"
import { DateTimeUtc, Integer, NonNegativeInteger, openEnumeration } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const Message = Schema.Struct({
  id: Schema.String,
  thread_id: Schema.String,
  from: Schema.String,
  to: Schema.String,
  subject: Schema.String,
  snippet: Schema.String,
  labels: Schema.Array(Schema.String),
  date: DateTimeUtc,
  is_read: Schema.Boolean,
  has_attachments: Schema.Boolean
})

// A mail has a plain text, an HTML text, or both.
const Body = Schema.Struct({
  message_id: Schema.String,
  text_plain: Schema.NullishOr(Schema.String),
  text_html: Schema.NullishOr(Schema.String),
  cached_at: DateTimeUtc
})

const buffered = { write_id: Schema.String, buffer_until: DateTimeUtc, status: openEnumeration("buffered") }

export const search = make("email.search", {
  tier: "autonomous",
  tags: ["email", "gmail", "read", "search", "safe"],
  inputs: {
    query: optional(Schema.String),
    label: optional(Schema.String),
    is_read: optional(Schema.Boolean),
    limit: optional(Integer.pipe(Schema.between(1, 100)), 20),
    offset: optional(NonNegativeInteger, 0)
  },
  outputs: { messages: Schema.Array(Message), total: Integer },
  errors: { DatabaseError: failure(CapabilityUnavailable, "retry_later") }
})

export const read = make("email.read", {
  tier: "autonomous",
  tags: ["email", "gmail", "read", "safe"],
  inputs: { message_id: Schema.String },
  outputs: { message: Message, body: Body },
  errors: {
    MessageNotFound: failure(MessageNotFound, "search", "wait_for_sync"),
    BodyFetchFailed: failure(BodyFetchFailed, "retry_later")
  },
  sideEffects: ["not reversible"]
})

export const send = make("email.send", {
  tier: "notify",
  tags: ["email", "gmail", "write", "buffered", "cancellable"],
  inputs: {
    to: Schema.String,
    subject: optional(Schema.String, "(no subject)"),
    body: optional(Schema.String, ""),
    from: optional(Schema.String, "me"),
    cc: optional(Schema.String),
    bcc: optional(Schema.String)
  },
  outputs: { ...buffered, status: openEnumeration("buffered", "completed") },
  errors: {
    MissingParameter: failure(InvalidInput, "provide_recipient"),
    BatchProtection: failure(BatchProtection, "request_approval", "wait"),
    WriteFailed: failure(WriteFailed, "check_parameters", "retry_later")
  },
  sideEffects: ["reversible", "not reversible", "not reversible"]
})

export const remove = make("email.delete", {
  tier: "notify",
  tags: ["email", "gmail", "write", "buffered", "soft-delete", "cancellable"],
  inputs: { message_id: Schema.String },
  outputs: buffered,
  errors: {
    MissingParameter: failure(InvalidInput, "search_first"),
    BatchProtection: failure(BatchProtection, "request_approval"),
    MessageNotFound: failure(MessageNotFound, "search")
  },
  sideEffects: ["reversible", "not reversible", "reversible", "not reversible"]
})

export const move = make("email.move", {
  tier: "autonomous",
  tags: ["email", "gmail", "write", "buffered", "labels"],
  inputs: {
    message_id: Schema.String,
    add_labels: optional(Schema.Array(Schema.String)),
    remove_labels: optional(Schema.Array(Schema.String))
  },
  outputs: buffered,
  errors: {
    MissingParameter: failure(InvalidInput, "search_first"),
    NoLabelsProvided: failure(InvalidInput, "specify_labels")
  },
  sideEffects: ["reversible", "reversible", "not reversible"]
})

export const draft = make("email.draft", {
  tier: "autonomous",
  tags: ["email", "gmail", "write", "draft", "safe"],
  inputs: {
    to: Schema.String,
    subject: optional(Schema.String, "(no subject)"),
    body: optional(Schema.String, ""),
    from: optional(Schema.String, "me")
  },
  outputs: { draft_id: Schema.String, to: Schema.String, subject: Schema.String },
  errors: {
    MissingParameter: failure(InvalidInput, "provide_recipient"),
    WriteFailed: failure(WriteFailed, "retry_later")
  },
  sideEffects: ["reversible"]
})

export const bulkDelete = make("email.bulk_delete", {
  tier: "approval_required",
  tags: ["email", "gmail", "write", "destructive", "blocked"],
  inputs: { message_ids: Schema.Array(Schema.String) },
  outputs: { error: Schema.String },
  errors: { OperationBlocked: failure(OperationBlocked, "use_individual_delete", "request_policy_change") }
})
