import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { readTraceparent } from "../../connection/traceparent.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { ApprovalRecord } from "../store/Approvals.js"
import { GatewayTracer } from "./GatewayTracer.js"
import { begin, type InvocationTrace, startSpan } from "./InvocationTrace.js"

/** The parts of a trace that are made long after the invocation that asked for approval, perhaps by another gateway. */
export interface ApprovalTraces {
  /** The wait of a request, now that it is over. */
  readonly decided: (
    record: ApprovalRecord,
    decision: "approved" | "rejected" | "withdrawn" | "expired",
    by: string
  ) => Effect.Effect<void>
  /** Carries out what was approved in a span. */
  readonly carryOut: (
    record: ApprovalRecord,
    run: (trace: InvocationTrace | undefined) => Effect.Effect<unknown, KruxosError>
  ) => Effect.Effect<unknown, KruxosError>
}

const nanosPerMilli = 1_000_000n

const attributesOf = ({ agent, approvalId, capability }: ApprovalRecord) => ({
  "kruxos.capability": capability,
  "kruxos.agent": agent,
  "kruxos.approval": approvalId
})

const parentOf = ({ traceparent }: ApprovalRecord) => readTraceparent(Option.getOrUndefined(traceparent))

/** Makes them: nothing, where there is no tracer. */
export const make: Effect.Effect<ApprovalTraces> = Effect.gen(function*() {
  const clock = yield* Effect.clock
  const tracer = yield* GatewayTracer
  const tracing = tracer && { clock, tracer }

  return {
    decided: (record, decision, by) =>
      Effect.sync(() => {
        const parent = parentOf(record)
        if (tracing === undefined || parent?.sampled === false) return
        const start = BigInt(DateTime.toEpochMillis(record.requestedAt)) * nanosPerMilli
        startSpan(tracing, "kruxos.gateway.approval", "internal", parent, start, {
          ...attributesOf(record),
          "kruxos.outcome": decision,
          "kruxos.decided_by": by
        }).end(clock.unsafeCurrentTimeNanos(), Exit.void)
      }),
    carryOut: (record, run) =>
      Effect.suspend(() => {
        const trace = tracing &&
          begin(tracing, "kruxos.gateway.carry_out", "internal", parentOf(record), attributesOf(record))
        return trace === undefined
          ? run(undefined)
          : Effect.onExit(run(trace), (exit) => Effect.sync(() => trace.end(exit)))
      })
  }
})
