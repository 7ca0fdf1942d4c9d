import * as Schema from "effect/Schema"
import { CapabilityUnavailable, VersionConflict } from "../errors/general.js"
import { KeyNotFound, QuotaExceeded, SubscriptionFailed } from "../errors/state.js"
import { JsonValue } from "../schema/JsonValue.js"
import { DateTimeUtc, Integer, Json, NonNegativeInteger } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

export const get = make("state.shared.get", {
  tier: "autonomous",
  tags: ["state", "shared", "read", "safe"],
  inputs: { key: Schema.String },
  // Of a key that is missing, one gateway leaves these out and another says null.
  outputs: {
    value: Schema.optional(Json),
    version: Schema.optionalWith(Integer, { nullable: true }),
    found: Schema.Boolean,
    owner_agent: Schema.optionalWith(Schema.String, { nullable: true }),
    updated_at: Schema.optionalWith(DateTimeUtc, { nullable: true })
  },
  errors: { KeyNotFound: failure(KeyNotFound, "list_keys") }
})

export const set = make("state.shared.set", {
  tier: "notify",
  tags: ["state", "shared", "write"],
  inputs: { key: Schema.String, value: JsonValue, expected_version: NonNegativeInteger },
  outputs: { version: Integer },
  errors: {
    VersionConflict: failure(VersionConflict, "retry"),
    QuotaExceeded: failure(QuotaExceeded, "delete_unused", "request_increase")
  },
  sideEffects: ["not reversible", "not reversible", "not reversible"]
})

export const remove = make("state.shared.delete", {
  tier: "notify",
  tags: ["state", "shared", "write"],
  inputs: { key: Schema.String },
  outputs: { deleted: Schema.Boolean },
  errors: { KeyNotFound: failure(KeyNotFound, "list_keys") },
  sideEffects: ["not reversible", "not reversible"]
})

export const list = make("state.shared.list", {
  tier: "autonomous",
  tags: ["state", "shared", "read", "safe"],
  inputs: { prefix: optional(Schema.String) },
  outputs: {
    entries: Schema.Array(Schema.Struct({
      key: Schema.String,
      version: Integer,
      size_bytes: Integer,
      owner_agent: Schema.String,
      updated_at: DateTimeUtc
    })),
    count: Integer,
    total_size_bytes: Integer
  },
  errors: { DatabaseError: failure(CapabilityUnavailable, "retry") }
})

export const watch = make("state.shared.watch", {
  tier: "autonomous",
  tags: ["state", "shared", "read", "subscribe"],
  inputs: { prefix: optional(Schema.String) },
  outputs: { subscription_id: Schema.String },
  errors: { SubscriptionFailed: failure(SubscriptionFailed, "retry") },
  sideEffects: ["not reversible"]
})
