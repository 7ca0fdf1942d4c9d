import type { BuiltIn } from "../builtIn.js"
import type { Proses } from "../Prose.js"

/** The words of `comms.*`. */
export const comms: Pick<Proses<BuiltIn>, "comms.receive"> = {
  "comms.receive": {
    purpose: "Takes messages from your inbox: from other agents, from channels you subscribed to and from watches.",
    whenToUse: "Use it to learn what arrived since the last time. With acknowledge, which is the default, messages " +
      "leave the inbox for good, so handle all that you take; set it to false only to look.",
    inputs: {
      limit: "How many messages to take at most.",
      channel: "Only messages of this channel; leave it out for all of them.",
      acknowledge: "Whether the messages are removed from the inbox once taken."
    },
    outputs: {
      messages: "The messages: those of high priority first. `channel` is null for one sent to you alone.",
      remaining: "How many messages are still waiting."
    },
    errors: { CommsError: "The gateway's message store failed." },
    sideEffects: ["Messages that were acknowledged are gone from the inbox."],
    commonPatterns: [
      {
        description: "Empty the inbox",
        steps: ["comms.receive and handle every message", "Repeat while remaining is above 0"]
      },
      {
        description: "React to changes of files",
        steps: ["filesystem.watch on the directory", "comms.receive from time to time for its events"]
      }
    ]
  }
}
