import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as History from "../../../../src/local/capabilities/system/History.js"
import { type Sample, summarize } from "../../../../src/local/capabilities/system/Sample.js"
import { parameters } from "../../../support/runs.js"

const second = 1000
const minute = 60 * second
const hour = 60 * minute

const sample = (from: number, to: number, load = 0, bytes = 0): Sample => ({
  from,
  to,
  processors: { average: load, peak: load },
  memory: { averageBytes: load * 10, peakBytes: load * 10, averagePercent: load },
  disks: { incoming: bytes, outgoing: 2 * bytes },
  networks: { incoming: 3 * bytes, outgoing: 4 * bytes }
})

const sizeOf = ({ minutes, recent }: History.History) => ({ minutes: minutes.length, recent: recent.length })

/** A history of samples one after the other, every so many milliseconds. */
const steady = (until: number, step: number, load: (to: number) => number = () => 0) => {
  let history = History.empty
  for (let to = step; to <= until; to += step) history = History.add(history, sample(to - step, to, load(to), step))
  return history
}

describe("a summary", () => {
  it("weighs with time, and takes the highest as the peak", () => {
    const figures = summarize([sample(0, 30, 10, 6), sample(30, 40, 50, 5)], 0, 40)
    assert.deepStrictEqual(figures, {
      processors: { average: 20, peak: 50 },
      memory: { averageBytes: 200, peakBytes: 500, averagePercent: 20 },
      disks: { incoming: 11, outgoing: 22 },
      networks: { incoming: 33, outgoing: 44 }
    })
  })

  it("takes of a sample what lies in between", () => {
    const samples = [sample(0, 100, 90, 1000), sample(100, 200, 10, 8), sample(200, 300, 30, 40)]
    assert.deepInclude(summarize(samples, 150, 225), {
      processors: { average: (10 * 50 + 30 * 25) / 75, peak: 30 },
      disks: { incoming: 4 + 10, outgoing: 8 + 20 }
    })
  })

  it("of no samples is none", () => {
    assert.isUndefined(summarize([], 0, 100))
    assert.isUndefined(summarize([sample(0, 100)], 100, 200))
    assert.isUndefined(summarize([sample(100, 200)], 0, 100))
    assert.isUndefined(summarize([sample(50, 50)], 0, 100))
  })
})

describe("a history", () => {
  const step = 5 * second

  it("stays small: full for 15 minutes, then one a minute, up to 24 hours", () => {
    assert.deepStrictEqual(sizeOf(steady(15 * minute, step)), { minutes: 0, recent: 180 })
    assert.deepStrictEqual(sizeOf(steady(15 * minute + step, step)), { minutes: 1, recent: 180 })
    assert.deepStrictEqual(sizeOf(steady(hour, step)), { minutes: 45, recent: 180 })
    const full = steady(50 * hour, step)
    assert.strictEqual(full.recent.length, 180)
    assert.isAtMost(full.minutes.length, 23 * 60 + 46)
    assert.isAtLeast(full.minutes.length, 23 * 60 + 45)
  })

  it("keeps peaks, averages and transfers exact while it thins out", () => {
    const peak = 3 * hour + 17 * step
    const history = steady(20 * hour, step, (to) => to === peak ? 100 : to <= 10 * hour ? 20 : 40)
    const figures = History.figures(history, -4 * hour, 20 * hour)
    assert.isDefined(figures)
    assert.strictEqual(figures.processors.peak, 100)
    assert.approximately(figures.processors.average, 30 + 80 * step / (20 * hour), 1e-6)
    assert.approximately(figures.disks.incoming, 20 * hour, 1e-3)
    assert.approximately(figures.networks.outgoing, 4 * 20 * hour, 1e-3)
    assert.strictEqual(History.figures(history, 19 * hour, 20 * hour)?.processors.peak, 40)
  })

  it("keeps what a whole list keeps, within the minute where a window begins, whatever the samples", () => {
    const steps = FastCheck.array(
      FastCheck.record({
        length: FastCheck.oneof(FastCheck.integer({ min: 1, max: 10_000 }), FastCheck.integer({ min: 1, max: hour })),
        load: FastCheck.integer({ min: 0, max: 100 }),
        bytes: FastCheck.nat(1_000_000)
      }),
      { minLength: 1, maxLength: 300 }
    )
    FastCheck.assert(
      FastCheck.property(steps, (steps) => {
        let history = History.empty
        const all: Array<Sample> = []
        let now = 0
        for (const { bytes, length, load } of steps) {
          const next = sample(now, now += length, load, bytes)
          all.push(next)
          history = History.add(history, next)
        }
        const kept = [...history.minutes, ...history.recent]
        for (const [index, one] of kept.entries()) {
          const following = kept[index + 1]
          if (following !== undefined) assert.strictEqual(one.to, following.from)
        }
        const first = kept[0]
        assert.isDefined(first)
        assert.isAtMost(first.from, Math.max(now - 24 * hour, 0))
        const whole = summarize(all, first.from, now)
        const thinned = History.figures(history, first.from, now)
        assert.isDefined(whole)
        assert.isDefined(thinned)
        assert.strictEqual(thinned.processors.peak, whole.processors.peak)
        assert.approximately(thinned.processors.average, whole.processors.average, 1e-6)
        assert.approximately(thinned.memory.averageBytes, whole.memory.averageBytes, 1e-6)
        assert.approximately(thinned.disks.incoming, whole.disks.incoming, 1e-3)
        for (const window of [minute, 5 * minute, 15 * minute]) {
          assert.deepStrictEqual(History.figures(history, now - window, now), summarize(all, now - window, now))
        }
      }),
      parameters(500)
    )
  })
})
