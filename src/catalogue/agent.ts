import * as Schema from "effect/Schema"
import { CapabilityUnavailable } from "../errors/general.js"
import {
  AgentId,
  DateTimeUtc,
  FilesystemPath,
  Float,
  Integer,
  openEnumeration,
  SessionId
} from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const Tier = openEnumeration("autonomous", "notify", "approval_required", "blocked")

const errors = { SessionError: failure(CapabilityUnavailable, "reconnect") }

export const whoami = make("agent.whoami", {
  tier: "autonomous",
  tags: ["agent", "identity", "safe", "read"],
  inputs: {},
  outputs: {
    agent_name: AgentId,
    purpose: Schema.String,
    policy_group: Schema.String,
    workspace_path: FilesystemPath,
    created_at: DateTimeUtc
  },
  errors
})

export const capabilities = make("agent.capabilities", {
  tier: "autonomous",
  tags: ["agent", "discovery", "safe", "read"],
  inputs: { category: optional(Schema.String) },
  outputs: {
    capabilities: Schema.Array(Schema.Struct({
      name: Schema.String,
      purpose: Schema.String,
      permission_tier: Tier,
      tags: Schema.Array(Schema.String)
    })),
    total: Integer
  },
  errors
})

export const session = make("agent.session", {
  tier: "autonomous",
  tags: ["agent", "session", "safe", "read"],
  inputs: {},
  outputs: {
    session_id: SessionId,
    connected_at: DateTimeUtc,
    duration_seconds: Integer,
    invocation_count: Integer,
    resource_usage: Schema.Struct({
      cpu_ms: Integer,
      memory_bytes: Integer,
      io_bytes_read: Integer,
      io_bytes_written: Integer
    }),
    workspace_path: FilesystemPath,
    state_quota: Schema.Struct({ used_bytes: Integer, limit_bytes: Integer, percent: Float })
  },
  errors
})

export const policy = make("agent.policy", {
  tier: "autonomous",
  tags: ["agent", "policy", "safe", "read"],
  inputs: {},
  outputs: {
    policy_group: Schema.String,
    rules: Schema.Array(Schema.Struct({
      capability: Schema.String,
      tier: Tier,
      reason: Schema.NullishOr(Schema.String),
      rate_limit: Schema.optional(Schema.Unknown)
    })),
    default_tier: Tier
  },
  errors
})
