import { expect, it } from "vitest"
import * as catalogue from "../../src/catalogue/scheduler.js"
import { describeCategory } from "./categorySuite.js"
import { scheduler as reference } from "./reference/scheduler.js"
import { scheduler as samples } from "./samples/scheduler.js"
import { thereAndBack } from "./values.js"

describeCategory("scheduler", {
  reference,
  samples,
  wrong: {
    "scheduler.delay": { input: { delay_seconds: -1 }, output: { fires_at: "soon" } },
    "scheduler.cron_create": { input: { inputs: ["message"] }, output: { next_run: null } },
    "scheduler.cron_list": { output: { jobs: [{ ...samples["scheduler.cron_list"].output.jobs[0], inputs: "none" }] } },
    "scheduler.cron_delete": { input: { cron_id: 1 }, output: { deleted: "no" } }
  },
  newer: {}
})

it("scheduler.delay reads a time without a zone as UTC", () => {
  const { output } = samples["scheduler.delay"]
  expect(thereAndBack(catalogue.delay.outputSchema, { ...output, fires_at: "2025-01-31T08:01:30" })).toEqual(output)
})
