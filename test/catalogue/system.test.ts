import { describeCategory } from "./categorySuite.js"
import { system as reference } from "./reference/system.js"
import { system as samples } from "./samples/system.js"

describeCategory("system", {
  reference,
  samples,
  wrong: {
    "system.info": { output: { cpu_count: 1.5 } },
    "system.health": { output: { services: [{ name: "vault" }] } },
    "system.metrics": { input: { window: "2h" }, output: { cpu: { average_percent: "1" } } },
    "system.time": { input: { timezone: 1 }, output: { utc: "noon" } }
  },
  newer: {
    "system.health": {
      overall_status: "on holiday",
      services: [{ name: "vault", status: "asleep", message: "", since: "noon" }]
    },
    "system.metrics": { window: "7d" }
  }
})
