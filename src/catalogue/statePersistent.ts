import * as Schema from "effect/Schema"
import { CapabilityUnavailable } from "../errors/general.js"
import { KeyNotFound, QuotaExceeded } from "../errors/state.js"
import { JsonValue } from "../schema/JsonValue.js"
import { DateTimeUtc, Integer, Json, NonNegativeInteger } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const version = { value: JsonValue, version: Integer, created_at: DateTimeUtc, updated_at: DateTimeUtc }

export const get = make("state.persistent.get", {
  tier: "autonomous",
  tags: ["state", "persistent", "read", "safe"],
  inputs: { key: Schema.String, version: optional(NonNegativeInteger) },
  // Of a key that is missing, one gateway leaves these out and another says null.
  outputs: {
    value: Schema.optional(Json),
    version: Schema.optionalWith(Integer, { nullable: true }),
    found: Schema.Boolean,
    created_at: Schema.optionalWith(DateTimeUtc, { nullable: true }),
    updated_at: Schema.optionalWith(DateTimeUtc, { nullable: true })
  },
  errors: { KeyNotFound: failure(KeyNotFound, "list_keys", "use_session") }
})

export const set = make("state.persistent.set", {
  tier: "autonomous",
  tags: ["state", "persistent", "write"],
  inputs: { key: Schema.String, value: JsonValue },
  outputs: { version: Integer, previous_version: Integer },
  errors: { QuotaExceeded: failure(QuotaExceeded, "delete_unused", "request_increase") },
  sideEffects: ["not reversible", "not reversible", "not reversible"]
})

export const remove = make("state.persistent.delete", {
  tier: "autonomous",
  tags: ["state", "persistent", "write"],
  inputs: { key: Schema.String },
  outputs: { deleted: Schema.Boolean },
  errors: { KeyNotFound: failure(KeyNotFound, "list_keys") },
  sideEffects: ["not reversible", "not reversible"]
})

export const list = make("state.persistent.list", {
  tier: "autonomous",
  tags: ["state", "persistent", "read", "safe"],
  inputs: { prefix: optional(Schema.String) },
  outputs: {
    entries: Schema.Array(Schema.Struct({
      key: Schema.String,
      version: Integer,
      size_bytes: Integer,
      updated_at: DateTimeUtc
    })),
    count: Integer,
    total_size_bytes: Integer
  },
  errors: { DatabaseError: failure(CapabilityUnavailable, "retry") }
})

export const query = make("state.persistent.query", {
  tier: "autonomous",
  tags: ["state", "persistent", "read", "safe"],
  inputs: { prefix: Schema.String },
  outputs: { entries: Schema.Array(Schema.Struct({ key: Schema.String, ...version })), count: Integer },
  errors: { DatabaseError: failure(CapabilityUnavailable, "retry") }
})

export const history = make("state.persistent.history", {
  tier: "autonomous",
  tags: ["state", "persistent", "read", "safe"],
  inputs: { key: Schema.String, limit: optional(Integer.pipe(Schema.positive())) },
  outputs: { versions: Schema.Array(Schema.Struct(version)), count: Integer },
  errors: { KeyNotFound: failure(KeyNotFound, "list_keys") }
})
