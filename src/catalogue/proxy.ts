import * as Schema from "effect/Schema"
import { CapabilityUnavailable } from "../errors/general.js"
import { WriteAlreadyExecuted, WriteNotFound } from "../errors/proxy.js"
import { DateTimeUtc, Integer, openEnumeration } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

export const cancelWrite = make("proxy.cancel_write", {
  tier: "autonomous",
  tags: ["proxy", "write"],
  inputs: { write_id: Schema.String },
  outputs: {
    cancelled: Schema.Boolean,
    write_id: Schema.String,
    status: openEnumeration("cancelled", "completed", "not_found")
  },
  errors: {
    WriteNotFound: failure(WriteNotFound, "search"),
    WriteAlreadyExecuted: failure(WriteAlreadyExecuted, "check_status")
  }
})

export const listWrites = make("proxy.list_writes", {
  tier: "autonomous",
  tags: ["proxy", "read", "safe"],
  inputs: {
    status: optional(Schema.Literal("buffered", "completed", "cancelled", "failed", "all"), "buffered")
  },
  outputs: {
    writes: Schema.Array(Schema.Struct({
      write_id: Schema.String,
      service: Schema.String,
      operation: Schema.String,
      status: openEnumeration("buffered", "completed", "cancelled", "failed"),
      buffer_until: DateTimeUtc,
      cancellable: Schema.Boolean
    })),
    total: Integer
  },
  errors: { DatabaseError: failure(CapabilityUnavailable, "retry_later") }
})
