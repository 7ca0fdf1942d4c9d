import { describeCategory } from "./categorySuite.js"
import { proxy as reference } from "./reference/proxy.js"
import { proxy as samples } from "./samples/proxy.js"

describeCategory("proxy", {
  reference,
  samples,
  wrong: {
    "proxy.cancel_write": { input: { write_id: 17 }, output: { cancelled: "yes" } },
    "proxy.list_writes": { input: { status: "pending" }, output: { writes: [{ write_id: "wr-17" }] } }
  },
  newer: {
    "proxy.cancel_write": { status: "retrying" },
    "proxy.list_writes": { writes: [{ ...samples["proxy.list_writes"].output.writes[0], status: "retrying" }] }
  }
})
