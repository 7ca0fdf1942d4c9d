import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Channel, Link } from "../../src/connection/Link.js"
import type * as LocalGateway from "../../src/local/LocalGateway.js"
import { link } from "../../src/local/running.js"
import type { Feature } from "../../src/schema/Session.js"
import { layerOf } from "../../src/services/Gateway.js"
import { connectionOptions } from "../../src/services/GatewayOptions.js"
import { type GatewayLayer, makeWorkspace } from "../suites/GatewayLayer.js"

const without = (hidden: ReadonlySet<Feature>) => (channel: Channel): Channel => ({
  ...channel,
  features: new Set([...channel.features].filter((feature) => !hidden.has(feature)))
})

/** A link to the same gateway, to which it seems that the gateway lacks some features. */
export const hide = (link: Link, ...features: ReadonlyArray<Feature>): Link => {
  const shown = without(new Set(features))
  const calling = (call: Link["call"]): Link["call"] => (options, run) =>
    call(options, (channel, timeoutMillis, isRepeat) => run(shown(channel), timeoutMillis, isRepeat))
  return {
    ...link,
    channel: Effect.map(link.channel, shown),
    call: calling(link.call),
    direct: (options, question) =>
      link.direct(options, {
        ...question,
        params: (given, channel) => question.params(given, shown(channel)),
        otherwise: (given, call, deadline) => question.otherwise(given, calling(call), deadline)
      })
  }
}

/** A local gateway in memory that seems to lack some features. */
const localWithout = (
  features: ReadonlyArray<Feature>,
  options: LocalGateway.LocalGatewayOptions
) => {
  const connection = connectionOptions({}, Redacted.make(""), 0)
  return layerOf(
    Effect.map(link({ dataDirectory: ":memory:", ...options }, connection), (made) => hide(made, ...features)),
    connection,
    Option.none()
  )
}

/**
 * The local gateway as one without the feature `transactions`. Whatever needs approval elsewhere runs: else nobody could undo that a file
 * was created.
 */
export const withoutTransactions: GatewayLayer = {
  name: "local, without transactions",
  layer: Layer.unwrapScoped(
    Effect.map(makeWorkspace, (workspace) => localWithout(["transactions"], { workspace, policy: "allow-all" }))
  ),
  pushes: true,
  hasUrl: false
}
