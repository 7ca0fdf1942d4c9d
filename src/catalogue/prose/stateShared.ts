import type { Proses } from "../Prose.js"
import type * as entries from "../stateShared.js"

type Shared = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const keyNotFound = "Nothing is stored under the key."

/** The words of `state.shared.*`. */
export const stateShared: Proses<Shared> = {
  "state.shared.get": {
    purpose: "Reads a value that all agents share, with the version that a change of it has to name.",
    whenToUse: "Use it before every state.shared.set, and for what other agents publish. What only you need is in " +
      "state.persistent.get.",
    inputs: { key: "The key." },
    outputs: {
      value: "The value; without meaning when found is false.",
      version: "The present version, to give to state.shared.set as expected_version; 0 for a missing key.",
      found: "Whether the key holds a value.",
      owner_agent: "The agent that the key belongs to.",
      updated_at: "When it was last written."
    },
    errors: { KeyNotFound: "Nothing is stored under the key; most gateways say found false instead." },
    sideEffects: [],
    commonPatterns: [{
      description: "Change a shared value safely",
      steps: [
        "state.shared.get for value and version",
        "state.shared.set of the changed value with that version as expected_version",
        "On VersionConflict begin again"
      ]
    }]
  },
  "state.shared.set": {
    purpose: "Stores a JSON value that all agents see, provided nobody wrote a newer version in between.",
    whenToUse:
      "Use it to coordinate with other agents. Say which version you have seen; if another agent was faster, " +
      "nothing is written and you get VersionConflict. For a message to one agent take comms.send.",
    inputs: {
      key: "The key.",
      value: "Any JSON value, null included.",
      expected_version: "The version that state.shared.get gave; 0 creates a key and fails if it exists."
    },
    outputs: { version: "The number of the new version." },
    errors: {
      VersionConflict: "The present version is another than expected; nothing was written.",
      QuotaExceeded: "The shared state would grow beyond 500 MB; nothing was stored."
    },
    sideEffects: [
      "All agents see the new value.",
      "Agents that watch the key are told.",
      "Where a key has more than 100 versions, its oldest is dropped."
    ],
    commonPatterns: [
      {
        description: "Claim a task that only one agent should do",
        steps: [
          "state.shared.set of a key of the task, with your name as the value and expected_version 0",
          "On VersionConflict another agent has it"
        ]
      },
      {
        description: "Count together",
        steps: ["state.shared.get", "state.shared.set of value + 1 with its version", "On VersionConflict begin again"]
      }
    ]
  },
  "state.shared.delete": {
    purpose: "Removes a key from the state that all agents share.",
    whenToUse:
      "Use it when no agent needs the value any more. It does not ask for a version, so it also removes what " +
      "somebody wrote a moment ago; versions go on counting if the key comes back.",
    inputs: { key: "The key." },
    outputs: { deleted: "Whether there was something to remove." },
    errors: { KeyNotFound: keyNotFound },
    sideEffects: ["The value is gone for all agents.", "Agents that watch the key are told."],
    commonPatterns: [{
      description: "Give a claimed task back",
      steps: ["state.shared.get to be sure that the claim is yours", "state.shared.delete of the key"]
    }]
  },
  "state.shared.list": {
    purpose: "Lists the shared keys with version, size, owner and date, without their values.",
    whenToUse: "Use it to see what agents share. To be told of changes, state.shared.watch is better than asking " +
      "again and again.",
    inputs: { prefix: "Only keys that begin with this; left out, all." },
    outputs: {
      entries: "The keys, each with its version, its size in bytes, its owner and when it was written.",
      count: "How many there are.",
      total_size_bytes: "Their size together, in bytes."
    },
    errors: { DatabaseError: "The store of the shared state failed." },
    sideEffects: [],
    commonPatterns: [{
      description: "See who works on what",
      steps: ["state.shared.list with the prefix of the tasks", "state.shared.get of those that matter"]
    }]
  },
  "state.shared.watch": {
    purpose: "Reports changes of shared keys to your inbox, until the session ends.",
    whenToUse: "Use it when you have to react to other agents. After a reconnect with a new session, watch again. To " +
      "look once, state.shared.get is enough.",
    inputs: { prefix: "Only keys that begin with this; left out, all." },
    outputs: { subscription_id: "The id of the subscription; its messages carry it." },
    errors: { SubscriptionFailed: "The subscription could not be set up." },
    sideEffects: ["Changes come as messages until the session ends."],
    commonPatterns: [{
      description: "Follow settings that another agent changes",
      steps: [
        "state.shared.watch with prefix config.",
        "comms.receive from time to time",
        "state.shared.get of each key that changed"
      ]
    }]
  }
}
