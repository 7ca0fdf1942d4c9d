import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import { meterOf, outcomeOf } from "../../connection/Meter.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { Session } from "../sessions/Session.js"
import { GatewayTracer } from "./GatewayTracer.js"
import { begin, type InvocationTrace } from "./InvocationTrace.js"

/** An invocation that has come in. */
export interface Observed {
  readonly session: Session
  readonly capability: string
  /** Whether there is such a capability. */
  readonly isKnown: boolean
  readonly idempotencyKey: string | undefined
  readonly transactionId: string | undefined
  /** The caller's span. */
  readonly parent: Tracer.ExternalSpan | undefined
}

/** What looks at an invocation. */
export interface Observation {
  readonly trace: InvocationTrace | undefined
  /** To be called when it has ended. */
  readonly onEnd: (exit: Exit.Exit<unknown, KruxosError>) => void
}

// What comes from outside, and may have any length.
const longestName = 200

/** Makes what counts the invocations of a gateway, and traces them where there is a tracer. */
export const make = Effect.gen(function*() {
  const clock = yield* Effect.clock
  const tracer = yield* GatewayTracer
  const tracing = tracer && { clock, tracer }

  return ({ capability, idempotencyKey, isKnown, parent, session, transactionId }: Observed): Observation => {
    const start = clock.unsafeCurrentTimeMillis()
    const meter = meterOf("gateway", isKnown ? capability : undefined)
    meter.began()
    const trace = tracing && begin(tracing, "kruxos.gateway.invoke", "server", parent, {
      "kruxos.capability": capability.slice(0, longestName),
      "kruxos.agent": session.agent.name,
      "kruxos.session": session.id,
      "kruxos.idempotency_key": idempotencyKey,
      "kruxos.transaction": transactionId
    })
    return {
      trace,
      onEnd: (exit) => {
        trace?.end(exit)
        meter.ended(outcomeOf(exit), clock.unsafeCurrentTimeMillis() - start)
      }
    }
  }
})
