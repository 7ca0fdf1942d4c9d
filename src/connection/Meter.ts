import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"
import * as Option from "effect/Option"
import type { Traffic } from "./Traffic.js"

/** Which side of the connection counts. */
export type Side = "client" | "gateway"

/** What counts the invocations of one capability. */
export interface Meter {
  readonly began: () => void
  readonly ended: (outcome: string, milliseconds: number) => void
}

/** What a name counts as that the catalogue does not have: callers must not be able to make metrics. */
const other = "other"

const noTags: ReadonlyArray<MetricLabel.MetricLabel> = []

// Metric.tagged looks its labels up at each update, which costs more than the invocation's own bookkeeping; a key that has them does not.
const counter = (name: string, description: string, labels: ReadonlyArray<MetricLabel.MetricLabel>) =>
  Metric.fromMetricKey(
    MetricKey.taggedWithLabels(MetricKey.counter(name, { description, incremental: true }), labels)
  )

const adding = (metric: Metric.Metric.Counter<number>) => (amount: number) => metric.unsafeUpdate(amount, noTags)

/** A counter of that side without labels. */
export const counting = (side: Side, name: string, description: string): (amount: number) => void =>
  adding(Metric.counter(`kruxos_${side}_${name}`, { description, incremental: true }))

const boundaries = MetricBoundaries.fromIterable(
  [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000]
)

// As long as there are 20 capabilities or 100, and about as many errors, each is looked up once.
const makeMeters = (side: Side) => {
  const inFlight = Metric.gauge(`kruxos_${side}_invocations_in_flight`, {
    description: "Invocations that have begun and not ended"
  })
  const meters = new Map<string, Meter>()

  const make = (capability: string): Meter => {
    const label = MetricLabel.make("capability", capability)
    const latency = Metric.fromMetricKey(
      MetricKey.taggedWithLabels(
        MetricKey.histogram(
          `kruxos_${side}_invocation_duration`,
          boundaries,
          "How long invocations took, in milliseconds"
        ),
        [label, MetricLabel.make("unit", "ms")]
      )
    )
    const counters = new Map<string, (amount: number) => void>()
    const counterOf = (outcome: string) => {
      const known = counters.get(outcome)
      if (known !== undefined) return known
      const made = adding(
        counter(`kruxos_${side}_invocations_total`, "Invocations that have ended", [
          label,
          MetricLabel.make("outcome", outcome)
        ])
      )
      counters.set(outcome, made)
      return made
    }
    return {
      began: () => inFlight.unsafeModify(1, noTags),
      ended: (outcome, milliseconds) => {
        inFlight.unsafeModify(-1, noTags)
        counterOf(outcome)(1)
        latency.unsafeUpdate(milliseconds, noTags)
      }
    }
  }

  return (capability = other): Meter => {
    const known = meters.get(capability)
    if (known !== undefined) return known
    const made = make(capability)
    meters.set(capability, made)
    return made
  }
}

const meters = { client: makeMeters("client"), gateway: makeMeters("gateway") }

/** What counts the invocations of a capability of the catalogue, or of all names that it does not have. */
export const meterOf = (side: Side, capability?: string): Meter => meters[side](capability)

/** Counts the bytes of messages. */
export const trafficOf = (side: Side): Traffic => ({
  sent: counting(side, "bytes_sent_total", "Bytes of the messages that were sent"),
  received: counting(side, "bytes_received_total", "Bytes of the messages that were received")
})

const reconnects = {
  client: counting("client", "reconnects_total", "Connections that took the place of a lost one"),
  gateway: counting("gateway", "reconnects_total", "Connections with which a session went on")
}

/** Counts a connection that was made again. */
export const reconnected = (side: Side): void => reconnects[side](1)

/** The word for how something ended: `ok`, the tag of its error, `interrupted`, or `defect`. */
export const outcomeOf = (exit: Exit.Exit<unknown, { readonly _tag: string }>): string => {
  if (Exit.isSuccess(exit)) return "ok"
  const failure = Cause.failureOption(exit.cause)
  if (Option.isSome(failure)) return failure.value._tag
  return Cause.isInterrupted(exit.cause) ? "interrupted" : "defect"
}

/** Has what may count it count an invocation. */
export const metered = <A, E extends { readonly _tag: string }>(
  meter: Meter | undefined,
  self: Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  meter === undefined ? self : Effect.uninterruptibleMask((restore) =>
    Effect.clockWith((clock) => {
      const start = clock.unsafeCurrentTimeMillis()
      meter.began()
      return Effect.onExit(restore(self), (exit) =>
        Effect.sync(() => meter.ended(outcomeOf(exit), clock.unsafeCurrentTimeMillis() - start)))
    })
  )
