import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as catalogue from "../../src/catalogue/commsSending.js"
import { describeCategory } from "./categorySuite.js"
import { comms as reference } from "./reference/comms.js"
import { comms as samples } from "./samples/comms.js"

describeCategory("comms", {
  reference,
  samples,
  wrong: {
    "comms.send": { input: { priority: "urgent" }, output: { message_id: 1 } },
    "comms.broadcast": { input: { filter: { name_pattern: ["build-*"] } }, output: { delivered: "all" } },
    "comms.subscribe": { input: { channel: null }, output: { subscription_id: null } },
    "comms.receive": { input: { limit: 0 }, output: { messages: [{ message_id: "msg-3" }] } }
  },
  newer: {
    "comms.send": { status: "held" },
    "comms.receive": { messages: [{ ...samples["comms.receive"].output.messages[0], priority: "urgent" }] }
  }
})

describe("comms.broadcast", () => {
  it.each([{}, { policy_group: "a" }, { name_pattern: "a*" }])("takes the filter %j", (filter) => {
    expect(Schema.is(catalogue.broadcast.inputSchema)({ message: "a", filter })).toBe(true)
  })
})
