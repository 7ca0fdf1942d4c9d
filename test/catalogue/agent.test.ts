import { describeCategory } from "./categorySuite.js"
import { agent as reference } from "./reference/agent.js"
import { agent as samples } from "./samples/agent.js"

describeCategory("agent", {
  reference,
  samples,
  wrong: {
    "agent.whoami": { output: { created_at: "yesterday" } },
    "agent.capabilities": { input: { category: ["git"] }, output: { capabilities: [{ name: "git.log" }] } },
    "agent.session": { output: { state_quota: { used_bytes: 1 } } },
    "agent.policy": { output: { rules: [{ capability: "git.*" }] } }
  },
  newer: {
    "agent.capabilities": {
      capabilities: [{ name: "git.log", purpose: "", permission_tier: "twice_approved", tags: [] }]
    },
    "agent.policy": { default_tier: "twice_approved" }
  }
})
