import type { Reference } from "./Documented.js"

const buffered = { write_id: "String", buffer_until: "DateTime", status: "String" }

/** `email.*`, as documented. */
export const email: Reference = {
  "email.search": {
    tier: "autonomous",
    version: "1.0",
    tags: "email, gmail, read, search, safe",
    inputs: {
      query: "String?",
      label: "String?",
      is_read: "Boolean?",
      limit: "Integer? = 20",
      offset: "Integer? = 0"
    },
    outputs: { messages: "Array", total: "Integer" },
    errors: { DatabaseError: "retry_later" }
  },
  "email.read": {
    tier: "autonomous",
    version: "1.0",
    tags: "email, gmail, read, safe",
    inputs: { message_id: "String" },
    outputs: { message: "Object", body: "Object" },
    errors: { MessageNotFound: "search, wait_for_sync", BodyFetchFailed: "retry_later" },
    sideEffects: ["not reversible"]
  },
  "email.send": {
    tier: "notify",
    version: "1.0",
    tags: "email, gmail, write, buffered, cancellable",
    inputs: {
      to: "String",
      subject: "String? = \"(no subject)\"",
      body: "String? = \"\"",
      from: "String? = \"me\"",
      cc: "String?",
      bcc: "String?"
    },
    outputs: buffered,
    errors: {
      MissingParameter: "provide_recipient",
      BatchProtection: "request_approval, wait",
      WriteFailed: "check_parameters, retry_later"
    },
    sideEffects: ["reversible", "not reversible", "not reversible"]
  },
  "email.delete": {
    tier: "notify",
    version: "1.0",
    tags: "email, gmail, write, buffered, soft-delete, cancellable",
    inputs: { message_id: "String" },
    outputs: buffered,
    errors: { MissingParameter: "search_first", BatchProtection: "request_approval", MessageNotFound: "search" },
    sideEffects: ["reversible", "not reversible", "reversible", "not reversible"]
  },
  "email.move": {
    tier: "autonomous",
    version: "1.0",
    tags: "email, gmail, write, buffered, labels",
    inputs: { message_id: "String", add_labels: "Array?", remove_labels: "Array?" },
    outputs: buffered,
    errors: { MissingParameter: "search_first", NoLabelsProvided: "specify_labels" },
    sideEffects: ["reversible", "reversible", "not reversible"]
  },
  "email.draft": {
    tier: "autonomous",
    version: "1.0",
    tags: "email, gmail, write, draft, safe",
    inputs: {
      to: "String",
      subject: "String? = \"(no subject)\"",
      body: "String? = \"\"",
      from: "String? = \"me\""
    },
    outputs: { draft_id: "String", to: "String", subject: "String" },
    errors: { MissingParameter: "provide_recipient", WriteFailed: "retry_later" },
    sideEffects: ["reversible"]
  },
  "email.bulk_delete": {
    tier: "approval_required",
    version: "1.0",
    tags: "email, gmail, write, destructive, blocked",
    inputs: { message_ids: "Array" },
    outputs: { error: "String" },
    errors: { OperationBlocked: "use_individual_delete, request_policy_change" }
  }
}
