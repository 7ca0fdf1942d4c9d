import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import { outcomeOf } from "../../connection/Meter.js"
import { spanExit } from "../../connection/spanExit.js"
import { traceparentOf } from "../../connection/traceparent.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import { recordedMessage } from "../audit/outcome.js"
import type { Decision } from "../policy/Policy.js"

/** What the spans of the gateway say. */
export interface Attributes {
  readonly [name: string]: string | undefined
}

/** The span of what the gateway does about an invocation, and those below it. */
export interface InvocationTrace {
  /** Names the span to what goes on with it later; absent where its tracer gives it ids of another form. */
  readonly traceparent: string | undefined
  /** Has the policy decide, in a span. */
  readonly decide: (decide: () => Decision) => Decision
  /** Runs a handler in a span, which is the parent of those that the handler makes. */
  readonly handler: <A, E extends KruxosError>(work: () => Effect.Effect<A, E>) => Effect.Effect<A, E>
  readonly end: (exit: Exit.Exit<unknown, KruxosError>) => void
}

/** Who makes spans, and when it is. */
export interface Tracing {
  readonly tracer: Tracer.Tracer
  readonly clock: Clock.Clock
}

/** A span of the gateway, from some time on. It has no other parent than the given one. */
export const startSpan = (
  { tracer }: Tracing,
  name: string,
  kind: Tracer.SpanKind,
  parent: Tracer.AnySpan | undefined,
  start: bigint,
  attributes: Attributes
): Tracer.Span => {
  const span = tracer.span(name, Option.fromNullable(parent), Context.empty(), [], start, kind)
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) span.attribute(key, value)
  return span
}

const end = (span: Tracer.Span, exit: Exit.Exit<unknown, KruxosError>, now: bigint) => {
  const outcome = outcomeOf(exit)
  span.attribute("kruxos.outcome", outcome)
  if (outcome !== "ok") span.attribute("error.type", outcome)
  // Spans leave the machine: they say no more than the audit log.
  span.end(now, spanExit(exit, ({ message }) => recordedMessage(message) ?? ""))
}

/** Of a trace that is not recorded; what goes on later learns that from its name. */
const unrecorded = (parent: Tracer.AnySpan): InvocationTrace => ({
  traceparent: traceparentOf(parent),
  decide: (decide) => decide(),
  handler: (work) => Effect.suspend(work),
  end: () => {}
})

/**
 * Begins the span of an invocation, below the one of its caller. There is none where the caller's trace is not recorded: then half of
 * it would be.
 */
export const begin = (
  tracing: Tracing,
  name: string,
  kind: Tracer.SpanKind,
  parent: Tracer.AnySpan | undefined,
  attributes: Attributes
): InvocationTrace => {
  if (parent?.sampled === false) return unrecorded(parent)
  const now = () => tracing.clock.unsafeCurrentTimeNanos()
  const span = startSpan(tracing, name, kind, parent, now(), attributes)
  return {
    traceparent: traceparentOf(span),
    decide: (decide) => {
      const own = startSpan(tracing, "kruxos.policy", "internal", span, now(), {})
      const decision = decide()
      own.attribute("kruxos.rule", decision.rule)
      own.attribute("kruxos.decision", decision.exceeded === undefined ? decision.tier : "rate_limited")
      own.end(now(), Exit.void)
      span.attribute("kruxos.tier", decision.tier)
      return decision
    },
    handler: (work) =>
      Effect.suspend(() => {
        const own = startSpan(tracing, "kruxos.handler", "internal", span, now(), {})
        return Effect.suspend(work).pipe(
          Effect.withParentSpan(own),
          Effect.withTracerEnabled(true),
          Effect.onExit((exit) => Effect.sync(() => end(own, exit, now())))
        )
      }),
    end: (exit) => end(span, exit, now())
  }
}
