import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { GatewayServices } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import * as CollectingTracer from "../support/collectingTracer.js"
import { until } from "../support/deadline.js"
import * as TestGateway from "../support/gateway.js"

export type Collected = CollectingTracer.CollectingTracer

/** Does something where spans are collected. */
export const collecting = <A, E>(self: (collected: Collected) => Effect.Effect<A, E, Scope.Scope>) =>
  Effect.suspend(() => {
    const collected = CollectingTracer.make()
    return Effect.withTracer(self(collected), collected.tracer)
  })

export const transports = ["in the process", "over a WebSocket", "over HTTP"] as const

/** A gateway where a human decides, and an agent's services there; in the process, by a second gateway over the same data. */
export const gateways = (how: (typeof transports)[number]) =>
  Effect.gen(function*() {
    const used = yield* TestGateway.folders
    const served = yield* LocalGateway.serve({ ...used, port: 0 })
    const layer: Layer.Layer<GatewayServices, unknown> = how === "in the process"
      ? LocalGateway.layer(used)
      : NodeGateway.layer({
        host: served.url,
        apiKey: served.apiKey,
        transport: how === "over HTTP" ? "http" : "websocket"
      })
    const services = yield* Layer.build(layer)
    return {
      human: TestGateway.testGateway(served, used),
      provided: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provide(self, services)
    }
  }).pipe(Effect.orDie, TestGateway.quietly)

export const attributes = (span: CollectingTracer.CollectedSpan | undefined) =>
  Object.fromEntries(span?.attributes ?? [])

export const ended = ({ spans }: Collected) =>
  until("the end of all spans", Effect.sync(() => spans.every(({ status }) => status._tag === "Ended")))
