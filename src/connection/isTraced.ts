import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Tracer from "effect/Tracer"

const ownOfEffect = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** What is looked at of a fiber. */
export type TracedFiber = Pick<Fiber.RuntimeFiber<unknown, unknown>, "currentTracer" | "getFiberRef">

/**
 * Whether a span of a fiber would be recorded: somebody has installed a tracer, and it is not switched off
 * (`Effect.withTracerEnabled`). The one that Effect has by itself keeps nothing, and so is not worth a span.
 */
export const isTraced = (fiber: TracedFiber): boolean =>
  fiber.currentTracer !== ownOfEffect && fiber.getFiberRef(FiberRef.currentTracerEnabled)
