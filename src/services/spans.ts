import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import type { CallTrace } from "../connection/CallTrace.js"
import type { InvokeRequest } from "../connection/InvokeRequest.js"
import { isTraced } from "../connection/isTraced.js"
import { outcomeOf } from "../connection/Meter.js"
import { spanExit } from "../connection/spanExit.js"
import { traceparentOf, tracestateOf } from "../connection/traceparent.js"
import type { PermissionTier } from "../schema/CapabilityDefinition.js"

interface Failure {
  readonly _tag: string
  readonly message: string
}

interface Attributes {
  readonly [name: string]: unknown
}

const annotate = (span: Tracer.Span, attributes: Attributes) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) span.attribute(name, value)
  }
}

const end = (span: Tracer.Span, exit: Exit.Exit<unknown, Failure>, success: string) =>
  Effect.clockWith((clock) =>
    Effect.sync(() => {
      const outcome = Exit.isSuccess(exit) ? success : outcomeOf(exit)
      span.attribute("kruxos.outcome", outcome)
      if (Exit.isFailure(exit)) span.attribute("error.type", outcome)
      // Effect ends what has not ended by then, and tells more.
      span.end(clock.unsafeCurrentTimeNanos(), spanExit(exit))
    })
  )

const traceOf = (span: Tracer.Span): CallTrace => {
  const traceparent = traceparentOf(span)
  const meta = traceparent === undefined ? undefined : { traceparent, tracestate: tracestateOf(span) }
  return {
    over: ({ transactionId }, { session }) => {
      annotate(span, { "kruxos.session": session.id, "kruxos.transaction": transactionId })
      return meta
    },
    sent: (bytes) => span.attribute("kruxos.request.bytes", bytes),
    received: (bytes) => span.attribute("kruxos.response.bytes", bytes)
  }
}

/** Makes an invocation in a span of its own, which the gateway is told of. To be used where there is a tracer. */
export const invokeSpan = <A, E extends Failure>(
  request: InvokeRequest,
  tier: PermissionTier | undefined,
  send: (request: InvokeRequest) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.useSpan(`kruxos.invoke ${request.name}`, { kind: "client", captureStackTrace: false }, (span) => {
    annotate(span, {
      "kruxos.capability": request.name,
      "kruxos.tier": tier,
      "kruxos.idempotency_key": request.idempotencyKey
    })
    return send({ ...request, trace: traceOf(span) }).pipe(
      Effect.withParentSpan(span),
      Effect.onExit((exit) => end(span, exit, "ok"))
    )
  })

/** Does something in a span, where there is a tracer; `outcome` is the word for its success. */
export const inSpan = <A, E extends Failure>(
  name: string,
  attributes: Attributes,
  self: Effect.Effect<A, E>,
  outcome: (value: A) => string
): Effect.Effect<A, E> =>
  Effect.withFiberRuntime((fiber) =>
    isTraced(fiber)
      ? Effect.useSpan(name, { captureStackTrace: false }, (span) => {
        annotate(span, attributes)
        return self.pipe(
          Effect.withParentSpan(span),
          Effect.onExit((exit) => end(span, exit, Exit.isSuccess(exit) ? outcome(exit.value) : ""))
        )
      })
      : self
  )
