import { withoutTransactions } from "../support/withoutFeatures.js"
import { approvalsSuite } from "./approvals.js"
import { capabilitiesSuite } from "./capabilities.js"
import { gatewaySuite } from "./gateway.js"
import { gatewayLayers } from "./GatewayLayer.js"
import { stateSuite } from "./state.js"
import { transactionsSuite } from "./transactions.js"

for (const layer of gatewayLayers) {
  gatewaySuite(layer)
  capabilitiesSuite(layer)
  approvalsSuite(layer)
  stateSuite(layer)
  transactionsSuite(layer, "gateway")
}

transactionsSuite(withoutTransactions, "compensating")
