import { approvalsSuite } from "./approvals.js"
import { capabilitiesSuite } from "./capabilities.js"
import { gatewaySuite } from "./gateway.js"
import { gatewayLayers } from "./GatewayLayer.js"
import { stateSuite } from "./state.js"

for (const layer of gatewayLayers) {
  gatewaySuite(layer)
  capabilitiesSuite(layer)
  approvalsSuite(layer)
  stateSuite(layer)
}
