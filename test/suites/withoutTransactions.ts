import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { LocalGateway } from "kruxos/local"
import type { Channel, Link } from "../../src/connection/Link.js"
import * as NodeDial from "../../src/connection/nodeDial.js"
import * as SocketLink from "../../src/connection/socketLink.js"
import { layerOf } from "../../src/services/Gateway.js"
import { connectionOptions, endpointOf } from "../../src/services/GatewayOptions.js"
import { type GatewayLayer, makeWorkspace } from "./GatewayLayer.js"

const strip = (channel: Channel): Channel => ({
  ...channel,
  features: new Set([...channel.features].filter((feature) => feature !== "transactions"))
})

/** A link to a gateway that says nothing of its transactions. */
const without = (link: Link): Link => ({
  ...link,
  channel: Effect.map(link.channel, strip),
  call: (options, run) => link.call(options, (channel, millis, isRepeat) => run(strip(channel), millis, isRepeat)),
  direct: (options, question) => link.direct(options, question)
})

/** A gateway without transactions, where this package undoes the steps: a new file by deleting it, which nobody has to approve. */
export const withoutTransactions: GatewayLayer = {
  name: "local, without transactions",
  pushes: true,
  layer: Layer.unwrapScoped(Effect.gen(function*() {
    const workspace = yield* makeWorkspace
    const { apiKey, url } = yield* LocalGateway.serve({
      workspace,
      dataDirectory: ":memory:",
      port: 0,
      policy: "allow-all"
    })
    const options = connectionOptions({}, apiKey)
    const endpoint = yield* endpointOf({ host: url, apiKey })
    const link = SocketLink.make(NodeDial.dial(endpoint.socket, apiKey), options)
    return layerOf(Effect.map(link, without), options, Option.none())
  }))
}
