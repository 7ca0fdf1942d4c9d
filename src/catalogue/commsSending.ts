import * as Schema from "effect/Schema"
import { RecipientNotFound } from "../errors/comms.js"
import { CapabilityUnavailable } from "../errors/general.js"
import { AgentId, GlobPattern, Integer, openEnumeration } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const priority = optional(Schema.Literal("low", "normal", "high"), "normal")

const failed = { CommsError: failure(CapabilityUnavailable, "retry") }

export const send = make("comms.send", {
  tier: "notify",
  tags: ["comms", "messaging", "agent-to-agent"],
  inputs: { to: AgentId, message: Schema.String, priority },
  outputs: { message_id: Schema.String, status: openEnumeration("delivered", "queued"), to: AgentId },
  errors: { RecipientNotFound: failure(RecipientNotFound, "check_agents"), ...failed },
  sideEffects: ["not reversible"]
})

export const broadcast = make("comms.broadcast", {
  tier: "notify",
  tags: ["comms", "messaging", "broadcast"],
  inputs: {
    message: Schema.String,
    filter: optional(Schema.Struct({
      policy_group: Schema.optional(Schema.String),
      name_pattern: Schema.optional(GlobPattern)
    })),
    priority
  },
  outputs: { message_id: Schema.String, delivery_count: Integer, delivered: Integer, queued: Integer },
  errors: failed,
  sideEffects: ["not reversible"]
})

export const subscribe = make("comms.subscribe", {
  tier: "autonomous",
  tags: ["comms", "pubsub", "subscribe"],
  inputs: { channel: Schema.String },
  outputs: { subscription_id: Schema.String, channel: Schema.String },
  errors: failed,
  sideEffects: ["reversible"]
})
