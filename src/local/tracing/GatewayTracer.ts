import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Tracer from "effect/Tracer"
import { isTraced } from "../../connection/isTraced.js"

/** What the gateway makes its spans with; undefined where nobody has installed a tracer. */
export class GatewayTracer extends Context.Reference<GatewayTracer>()("kruxos/local/GatewayTracer", {
  defaultValue: (): Tracer.Tracer | undefined => undefined
}) {}

/**
 * Makes a gateway that traces invocations, if there is a tracer, and nothing else: what it does of its own accord, such as writing its
 * log, belongs to no trace.
 */
export const tracingInvocations = <A, E, R>(
  gateway: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, GatewayTracer>> =>
  Effect.withFiberRuntime((fiber) =>
    isTraced(fiber)
      ? gateway.pipe(
        Effect.withTracerEnabled(false),
        Effect.provideService(GatewayTracer, fiber.currentTracer)
      )
      : Effect.provideService(gateway, GatewayTracer, undefined)
  )
