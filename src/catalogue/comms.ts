import * as Schema from "effect/Schema"
import { CapabilityUnavailable } from "../errors/general.js"
import { DateTimeUtc, Integer, openEnumeration } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

export const receive = make("comms.receive", {
  tier: "autonomous",
  tags: ["comms", "messaging", "receive", "read"],
  inputs: {
    limit: optional(Integer.pipe(Schema.positive()), 10),
    channel: optional(Schema.String),
    acknowledge: optional(Schema.Boolean, true)
  },
  outputs: {
    messages: Schema.Array(Schema.Struct({
      message_id: Schema.String,
      from: Schema.String,
      message: Schema.String,
      priority: openEnumeration("low", "normal", "high"),
      sent_at: DateTimeUtc,
      channel: Schema.NullOr(Schema.String)
    })),
    remaining: Integer
  },
  errors: { CommsError: failure(CapabilityUnavailable, "retry") },
  sideEffects: ["not reversible"]
})
