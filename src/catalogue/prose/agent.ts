import type { BuiltIn } from "../builtIn.js"
import type { ProsesOf } from "../Prose.js"

const errors = { SessionError: "The gateway has no session for this connection any more." }

/** The words of `agent.*`. */
export const agent: ProsesOf<BuiltIn, "agent"> = {
  "agent.whoami": {
    purpose: "Tells who you are on this gateway: your agent name, purpose, policy group and workspace.",
    whenToUse:
      "Use it once at the start, or when a name or path has to be stated correctly. For usage and limits take " +
      "agent.session, for rules agent.policy.",
    inputs: {},
    outputs: {
      agent_name: "Your name; other agents send messages to it.",
      purpose: "What your supervisor set this agent up for.",
      policy_group: "The group whose policy applies to you.",
      workspace_path: "The directory that all your paths start in.",
      created_at: "When the agent was created."
    },
    errors,
    sideEffects: [],
    commonPatterns: [{
      description: "Find your bearings in a new session",
      steps: [
        "agent.whoami for your purpose and workspace",
        "filesystem.list of the workspace",
        "agent.policy to see what needs approval"
      ]
    }]
  },
  "agent.capabilities": {
    purpose: "Lists the capabilities that you can invoke, with the tier that the policy gives each.",
    whenToUse: "Use it to find out whether something can be done at all, or after a call failed because its name is " +
      "unknown. Narrow it with a category; blocked capabilities are missing from the answer.",
    inputs: { category: "Only this category: the part of a name before its first dot, such as filesystem." },
    outputs: {
      capabilities: "Name, purpose, permission tier and tags of each.",
      total: "How many are listed."
    },
    errors,
    sideEffects: [],
    commonPatterns: [{
      description: "Check before planning that a step can run unattended",
      steps: [
        "agent.capabilities with the category",
        "Prefer those of tier autonomous or notify; approval_required waits for a human"
      ]
    }]
  },
  "agent.session": {
    purpose: "Tells about the running session: its id, age, number of calls, resource use, workspace and state quota.",
    whenToUse:
      "Use it when a limit or a path scope gets in the way, or to report what a run has used. For who you are " +
      "take agent.whoami; for the whole machine system.info or system.metrics.",
    inputs: {},
    outputs: {
      session_id: "The id of this session.",
      connected_at: "When the session began.",
      duration_seconds: "How long it has been running, in seconds.",
      invocation_count: "How many calls it has made.",
      resource_usage: "Processor time in milliseconds, memory, and bytes read and written by this session.",
      workspace_path: "The directory that all your paths start in.",
      state_quota: "Bytes of state in use, how many are allowed, and the percentage."
    },
    errors,
    sideEffects: [],
    commonPatterns: [{
      description: "Recover from a path that is out of scope",
      steps: ["agent.session and take workspace_path", "Call again with a path below it"]
    }]
  },
  "agent.policy": {
    purpose: "Shows the policy rules that decide which of your calls run, are reported, need approval or are refused.",
    whenToUse:
      "Use it after a call was refused by the policy, or before a plan whose steps may need a human. To see what " +
      "exists, agent.capabilities is shorter.",
    inputs: {},
    outputs: {
      policy_group: "The group whose policy applies to you.",
      rules: "Each rule: a capability name or pattern, its tier, the reason for it and a rate limit, if any.",
      default_tier: "The tier of what no rule names."
    },
    errors,
    sideEffects: [],
    commonPatterns: [{
      description: "Find another way after a refusal",
      steps: [
        "agent.policy and look for the rule that the error names",
        "Choose a capability or a path that the rules allow, or ask the supervisor"
      ]
    }]
  }
}
