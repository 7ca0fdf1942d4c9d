import * as Schema from "effect/Schema"
import { CapabilityUnavailable } from "../errors/general.js"
import { QuotaExceeded } from "../errors/state.js"
import { JsonValue } from "../schema/JsonValue.js"
import { Integer, Json } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const SessionNotFound = failure(CapabilityUnavailable, "reconnect")

export const get = make("state.session.get", {
  tier: "autonomous",
  tags: ["state", "session", "read", "safe"],
  inputs: { key: Schema.String },
  outputs: { value: Schema.optional(Json), found: Schema.Boolean },
  errors: { SessionNotFound }
})

export const set = make("state.session.set", {
  tier: "autonomous",
  tags: ["state", "session", "write"],
  inputs: { key: Schema.String, value: JsonValue },
  outputs: { previous_value: Schema.optional(Json), overwritten: Schema.Boolean },
  errors: { SessionNotFound, QuotaExceeded: failure(QuotaExceeded, "delete_unused", "clear") },
  sideEffects: ["not reversible"]
})

export const remove = make("state.session.delete", {
  tier: "autonomous",
  tags: ["state", "session", "write"],
  inputs: { key: Schema.String },
  outputs: { previous_value: Schema.optional(Json), deleted: Schema.Boolean },
  errors: { SessionNotFound },
  sideEffects: ["not reversible"]
})

export const list = make("state.session.list", {
  tier: "autonomous",
  tags: ["state", "session", "read", "safe"],
  inputs: { prefix: optional(Schema.String) },
  outputs: { keys: Schema.Array(Schema.String), count: Integer },
  errors: { SessionNotFound }
})

export const clear = make("state.session.clear", {
  tier: "autonomous",
  tags: ["state", "session", "write"],
  inputs: {},
  outputs: { removed_count: Integer },
  errors: { SessionNotFound },
  sideEffects: ["not reversible"]
})
