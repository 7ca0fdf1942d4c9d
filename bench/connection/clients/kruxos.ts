import * as Redacted from "effect/Redacted"
import { Capabilities } from "kruxos"
import { NodeGateway } from "kruxos/node"
import { clientOf } from "./effects.js"

/** This SDK over a WebSocket, with its defaults. */
export const client = clientOf(
  (url) => NodeGateway.layer({ host: url, apiKey: Redacted.make("key") }),
  Capabilities,
  ({ invoke }) => invoke("system.time")
)
