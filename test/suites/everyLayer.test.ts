import { assert, it } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { withoutTransactions } from "../support/withoutFeatures.js"
import { approvalsSuite } from "./approvals.js"
import { capabilitiesSuite } from "./capabilities.js"
import { gatewaySuite } from "./gateway.js"
import { gatewayLayers } from "./GatewayLayer.js"
import { stateSuite } from "./state.js"
import { casesOf, gaps, render } from "./table.js"
import { transactionsSuite } from "./transactions.js"

for (const layer of gatewayLayers) {
  gatewaySuite(layer)
  capabilitiesSuite(layer)
  approvalsSuite(layer)
  stateSuite(layer)
  transactionsSuite(layer, "gateway")
}

transactionsSuite(withoutTransactions, "compensating")

// The last of the file, so that all others have run.
it("every case runs on every layer, or it is said why it does not", ({ skip, task }) => {
  const cases = casesOf(task.file.tasks)
  if (cases.every(({ result }) => result === "skipped")) return skip("the run is filtered")
  Effect.runSync(Console.log(render(cases)))
  assert.deepStrictEqual(gaps(cases), [])
})
