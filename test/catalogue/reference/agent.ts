import type { Reference } from "./Documented.js"

const common = { tier: "autonomous", version: "1.0", errors: { SessionError: "reconnect" } }

/** `agent.*`, as documented. */
export const agent: Reference = {
  "agent.whoami": {
    ...common,
    tags: "agent, identity, safe, read",
    inputs: {},
    outputs: {
      agent_name: "AgentId",
      purpose: "String",
      policy_group: "String",
      workspace_path: "FilesystemPath",
      created_at: "DateTime"
    }
  },
  "agent.capabilities": {
    ...common,
    tags: "agent, discovery, safe, read",
    inputs: { category: "String?" },
    outputs: { capabilities: "Array", total: "Integer" }
  },
  "agent.session": {
    ...common,
    tags: "agent, session, safe, read",
    inputs: {},
    outputs: {
      session_id: "SessionId",
      connected_at: "DateTime",
      duration_seconds: "Integer",
      invocation_count: "Integer",
      resource_usage: "Object",
      workspace_path: "FilesystemPath",
      state_quota: "Object"
    }
  },
  "agent.policy": {
    ...common,
    tags: "agent, policy, safe, read",
    inputs: {},
    outputs: { policy_group: "String", rules: "Array", default_tier: "String" }
  }
}
