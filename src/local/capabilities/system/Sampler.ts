import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as SynchronizedRef from "effect/SynchronizedRef"
import { scopedService } from "../../inOrder.js"
import { CurrentMachine } from "./CurrentMachine.js"
import * as History from "./History.js"
import type { MachineUnreadable } from "./Machine.js"
import { between, type Figures, type TimedReading } from "./Sample.js"

/** Knows how busy the machine was, over the last 24 hours at most. */
export interface Sampler {
  /**
   * The figures of the last while. With no sample of that while it takes one at once, so that there is always an answer;
   * it fails only if that fails.
   */
  readonly during: (span: Duration.DurationInput) => Effect.Effect<Figures, MachineUnreadable>
}

/** The sampler of the machine that the gateway is on. */
export class MachineSampler extends Context.Tag("kruxos/local/MachineSampler")<MachineSampler, Sampler>() {}

/**
 * How often the machine is sampled: every five seconds, unless a test that moves the clock by hours provides more. Where it is endless, a
 * sample is taken only when somebody asks.
 */
export class SamplingInterval extends Context.Reference<SamplingInterval>()("kruxos/local/SamplingInterval", {
  defaultValue: () => Duration.seconds(5)
}) {}

interface State {
  readonly previous: TimedReading | undefined
  readonly history: History.History
}

// Unlike the time of day it never goes back.
const monotonicMillis = Effect.map(Clock.currentTimeNanos, (nanoseconds) => Number(nanoseconds / 1_000_000n))

/**
 * Makes a sampler that reads the machine now and at every {@link SamplingInterval} until the scope ends. A reading that
 * fails is left out; the next one covers its time.
 */
export const make: Effect.Effect<Sampler, never, Scope.Scope> = Effect.gen(function*() {
  const machine = yield* CurrentMachine
  const state = yield* SynchronizedRef.make<State>({ previous: undefined, history: History.empty })

  const sampleAfter = ({ history, previous }: State) =>
    Effect.gen(function*() {
      const reading = yield* machine.reading
      const now: TimedReading = { ...reading, at: yield* monotonicMillis }
      const sample = between(previous, now)
      const next: State = sample.to > sample.from
        ? { previous: now, history: History.add(history, sample) }
        : { previous: previous ?? now, history }
      return [sample, next] as const
    })

  const during: Sampler["during"] = (span) =>
    SynchronizedRef.modifyEffect(state, (current) =>
      Effect.gen(function*() {
        const recorded = ({ history }: State) =>
          Effect.map(monotonicMillis, (now) => History.figures(history, now - Duration.toMillis(span), now))
        const known = yield* recorded(current)
        if (known !== undefined) return [known, current] as const
        const [sample, next] = yield* sampleAfter(current)
        return [(yield* recorded(next)) ?? sample, next] as const
      }))

  const take = SynchronizedRef.modifyEffect(state, sampleAfter).pipe(
    Effect.catchTag("MachineUnreadable", (error) => Effect.logDebug("No sample of the machine was taken", error))
  )
  const interval = yield* SamplingInterval
  if (Duration.isFinite(interval)) {
    yield* take
    yield* Effect.scheduleForked(take, Schedule.spaced(interval))
  }
  return { during }
})

/** Samples the machine until the layer's scope ends. */
export const layer: Layer.Layer<MachineSampler> = scopedService(MachineSampler, make)
