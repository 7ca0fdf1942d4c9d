import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { clientOf } from "./effects.js"

const Time = Schema.Struct({
  utc: Schema.DateTimeUtc,
  local: Schema.NullOr(Schema.String),
  timezone: Schema.String,
  unix_epoch: Schema.Int,
  unix_epoch_ms: Schema.Int
})

const group = RpcGroup.make(Rpc.make("Time", { success: Time }))

class Times extends Context.Tag("bench/Times")<Times, { readonly get: Effect.Effect<typeof Time.Type, unknown> }>() {}

/** The client of Effect's own RPC over a WebSocket, its messages as JSON. */
export const client = clientOf(
  (url) =>
    Layer.scoped(Times, Effect.map(RpcClient.make(group), (rpc) => ({ get: rpc.Time() }))).pipe(
      Layer.provide(RpcClient.layerProtocolSocket()),
      Layer.provide([NodeSocket.layerWebSocket(url), RpcSerialization.layerJson])
    ),
  Times,
  ({ get }) => get
)
