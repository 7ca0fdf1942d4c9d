import type { Samples } from "./Sample.js"

/** An input and an output of each capability of `agent.*`, as they go over the wire. */
export const agent = {
  "agent.whoami": {
    input: {},
    output: {
      agent_name: "researcher",
      purpose: "Reads papers",
      policy_group: "default",
      workspace_path: "/workspace",
      created_at: "2025-01-30T17:00:00.000Z"
    }
  },
  "agent.capabilities": {
    input: { category: "filesystem" },
    output: {
      capabilities: [
        {
          name: "filesystem.delete",
          purpose: "Deletes a file",
          permission_tier: "approval_required",
          tags: ["filesystem", "write", "destructive"]
        },
        { name: "pack.thing", purpose: "", permission_tier: "blocked", tags: [] }
      ],
      total: 2
    }
  },
  "agent.session": {
    input: {},
    output: {
      session_id: "session-1",
      connected_at: "2025-01-31T08:00:00.000Z",
      duration_seconds: 90,
      invocation_count: 12,
      resource_usage: { cpu_ms: 410, memory_bytes: 73_400_320, io_bytes_read: 4096, io_bytes_written: 0 },
      workspace_path: "/workspace",
      state_quota: { used_bytes: 1_048_576, limit_bytes: 104_857_600, percent: 1.5 }
    }
  },
  "agent.policy": {
    input: {},
    output: {
      policy_group: "default",
      rules: [
        {
          capability: "filesystem.*",
          tier: "notify",
          reason: "Files are watched",
          rate_limit: { count: 10, window: "1m" }
        },
        { capability: "email.bulk_delete", tier: "blocked", reason: null },
        { capability: "git.push", tier: "approval_required" }
      ],
      default_tier: "notify"
    }
  }
} satisfies Samples
