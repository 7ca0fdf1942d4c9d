import type { Reference } from "./Documented.js"

/** `comms.*`, as documented. */
export const comms: Reference = {
  "comms.send": {
    tier: "notify",
    version: "1.0",
    tags: "comms, messaging, agent-to-agent",
    inputs: { to: "AgentId", message: "String", priority: "String? = \"normal\"" },
    outputs: { message_id: "String", status: "String", to: "AgentId" },
    errors: { RecipientNotFound: "check_agents", CommsError: "retry" },
    sideEffects: ["not reversible"]
  },
  "comms.broadcast": {
    tier: "notify",
    version: "1.0",
    tags: "comms, messaging, broadcast",
    inputs: { message: "String", filter: "Object?", priority: "String? = \"normal\"" },
    outputs: { message_id: "String", delivery_count: "Integer", delivered: "Integer", queued: "Integer" },
    errors: { CommsError: "retry" },
    sideEffects: ["not reversible"]
  },
  "comms.subscribe": {
    tier: "autonomous",
    version: "1.0",
    tags: "comms, pubsub, subscribe",
    inputs: { channel: "String" },
    outputs: { subscription_id: "String", channel: "String" },
    errors: { CommsError: "retry" },
    sideEffects: ["reversible"]
  },
  "comms.receive": {
    tier: "autonomous",
    version: "1.0",
    tags: "comms, messaging, receive, read",
    inputs: { limit: "Integer? = 10", channel: "String?", acknowledge: "Boolean? = true" },
    outputs: { messages: "Array", remaining: "Integer" },
    errors: { CommsError: "retry" },
    sideEffects: ["not reversible"]
  }
}
