import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

// Shorter than servers wait for the next request before they close (Node's: 5 s): what is sent as the socket closes may or may
// not have arrived.
const idleMillis = 3000

const immediate = Effect.async<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

// Between two of them Node takes what has come from the network: the end of a kept socket that nothing should be sent over.
const hearClosed = Effect.zipRight(immediate, immediate)

const hearing = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(
    HttpClient.HttpClient,
    HttpClient.mapRequestEffect((request) => Effect.as(hearClosed, request))
  )
)

/** Node's HTTP client, which keeps the sockets that it has opened for what is asked soon after. */
export const layer: Layer.Layer<HttpClient.HttpClient> = hearing.pipe(
  Layer.provide(NodeHttpClient.layerWithoutAgent),
  Layer.provide(NodeHttpClient.makeAgentLayer({ keepAlive: true, timeout: idleMillis }))
)
