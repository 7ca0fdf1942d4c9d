import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as catalogue from "../../src/catalogue/alerts.js"
import { describeCategory } from "./categorySuite.js"
import { alerts as reference } from "./reference/alerts.js"
import { alerts as samples } from "./samples/alerts.js"

describeCategory("alerts", {
  reference,
  samples,
  wrong: {
    "alerts.send": { input: { severity: "fatal" }, output: { alert_id: 1 } },
    "alerts.list": { input: { limit: 0 }, output: { alerts: [{ alert_id: "alert-1" }] } },
    "alerts.acknowledge": { input: { alert_id: 1 }, output: { acknowledged: null } }
  },
  newer: {
    "alerts.send": { delivered_to: "telephone", severity: "debug" },
    "alerts.list": {
      alerts: [{ ...samples["alerts.list"].output.alerts[0], status: "snoozed", severity: "debug" }]
    }
  }
})

describe("alerts.send", () => {
  const takes = Schema.is(catalogue.send.inputSchema)

  it("takes the inputs of the guide and those of the reference", () => {
    expect(takes({ severity: "warning", title: "It stopped", message: "at page 7" })).toBe(true)
    expect(takes({ message: "at page 7", severity: "info", context: { page: 7 } })).toBe(true)
    expect(takes({ message: "at page 7" })).toBe(true)
  })

  it("refuses a title without a message", () => {
    expect(takes({ title: "It stopped" })).toBe(false)
  })
})
