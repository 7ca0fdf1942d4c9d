import type * as entries from "../commsSending.js"
import type { Proses } from "../Prose.js"

type Sending = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const priority = "How urgent it is; whoever receives it gets those of high priority first."

const commsError = "The gateway's message store failed."

/** The words of what sends messages and subscribes to them. */
export const sending: Proses<Sending> = {
  "comms.send": {
    purpose: "Sends a message to one other agent.",
    whenToUse: "Use it to hand over work, to ask or to answer; the other agent reads it with comms.receive, perhaps " +
      "much later. For several agents take comms.broadcast, for the supervisor alerts.send.",
    inputs: {
      to: "The name of the agent, or #name for a channel that others subscribe to.",
      message: "The text; JSON in it stays text.",
      priority
    },
    outputs: {
      message_id: "The id of the message.",
      status: "delivered when the agent is connected, queued when it will find it later.",
      to: "The agent that it is for."
    },
    errors: { RecipientNotFound: "There is no agent of this name.", CommsError: commsError },
    sideEffects: ["The message is in the other agent's inbox."],
    commonPatterns: [{
      description: "Ask another agent and wait for the answer",
      steps: [
        "comms.send with a question and an id of your own in it",
        "comms.receive from time to time until an answer has that id"
      ]
    }]
  },
  "comms.broadcast": {
    purpose: "Sends a message to all other agents, or to those of a group or with certain names.",
    whenToUse:
      "Use it for what many have to know. Narrow it with filter wherever you can; for one agent take comms.send.",
    inputs: {
      message: "The text; JSON in it stays text.",
      filter:
        "Only agents of this policy_group, or whose names match the glob name_pattern, such as build-*; with both, " +
        "those that meet both.",
      priority
    },
    outputs: {
      message_id: "The id of the message.",
      delivery_count: "How many agents it is for.",
      delivered: "How many of them are connected and have it.",
      queued: "How many will find it later."
    },
    errors: { CommsError: commsError },
    sideEffects: ["The message is in the inboxes of these agents."],
    commonPatterns: [{
      description: "Tell a team",
      steps: ["comms.broadcast with filter {name_pattern: \"build-*\"}", "delivery_count 0: the pattern matches nobody"]
    }]
  },
  "comms.subscribe": {
    purpose: "Subscribes to a channel, whose messages then arrive in your inbox.",
    whenToUse: "Use it once for each channel that you want to hear of; messages from before are not delivered. They " +
      "are read with comms.receive.",
    inputs: { channel: "The name of the channel." },
    outputs: { subscription_id: "The id of the subscription.", channel: "The channel." },
    errors: { CommsError: commsError },
    sideEffects: ["Messages of the channel arrive in your inbox from now on."],
    commonPatterns: [{
      description: "Follow a channel",
      steps: ["comms.subscribe to the channel", "comms.receive with that channel from time to time"]
    }]
  }
}
