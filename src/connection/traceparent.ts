import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Tracer from "effect/Tracer"

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

const noTrace = "0".repeat(32)

const noSpan = "0".repeat(16)

const sampledFlag = 1

/** Reads a `traceparent` of W3C's Trace Context; undefined where it is none. Later versions may have more at the end. */
export const readTraceparent = (text: unknown): Tracer.ExternalSpan | undefined => {
  const [, version, traceId, spanId, flags, rest] = (typeof text === "string" ? form.exec(text) : undefined) ?? []
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (version === "ff" || traceId === noTrace || spanId === noSpan) return undefined
  if (version === "00" && rest !== undefined) return undefined
  return Tracer.externalSpan({ traceId, spanId, sampled: (Number.parseInt(flags, 16) & sampledFlag) !== 0 })
}

/** The span that a request says it belongs to, in the `_meta` of its params. What is malformed says nothing. */
export const parentOf = (params: unknown): Tracer.ExternalSpan | undefined => {
  const meta = Predicate.isRecord(params) ? params["_meta"] : undefined
  return Predicate.isRecord(meta) ? readTraceparent(meta["traceparent"]) : undefined
}

/** A span as a `traceparent`; undefined where its ids do not have the form, as those of a span that nobody records. */
export const traceparentOf = ({ sampled, spanId, traceId }: Tracer.AnySpan): string | undefined => {
  const text = `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`
  return readTraceparent(text) === undefined ? undefined : text
}

// What the tracers of @effect/opentelemetry keep it under.
const stateKey = "@effect/opentelemetry/Tracer/OtelTraceState"

/** The `tracestate` that a span's trace came in with, if its tracer knows. */
export const tracestateOf = (span: Tracer.AnySpan): string | undefined => {
  let current: Tracer.AnySpan | undefined = span
  while (current !== undefined) {
    const state: unknown = current.context.unsafeMap.get(stateKey)
    if (Predicate.hasProperty(state, "serialize") && Predicate.isFunction(state.serialize)) {
      const text: unknown = state.serialize()
      return typeof text === "string" && text !== "" ? text : undefined
    }
    current = current._tag === "Span" ? Option.getOrUndefined(current.parent) : undefined
  }
  return undefined
}
