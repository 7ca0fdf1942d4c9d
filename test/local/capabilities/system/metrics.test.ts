import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { CapabilityUnavailable } from "../../../../src/errors/general.js"
import { makeMetrics } from "../../../../src/local/capabilities/system/metrics.js"
import * as Sampler from "../../../../src/local/capabilities/system/Sampler.js"
import { invocationBy } from "../invocation.js"
import { after, atRest, type MadeUp, madeUp, on } from "./support.js"

type Window = "1m" | "5m" | "15m" | "1h" | "24h"

/** A sampler on a made-up machine, and what `system.metrics` says of it. */
const sampling = (machine: MadeUp) =>
  Effect.gen(function*() {
    const handler = makeMetrics(yield* Sampler.make.pipe(on(machine)))
    const invocation = yield* invocationBy("one")
    return (window: Window) => handler({ window }, invocation)
  })

/** Lets five seconds pass in which the machine does some work. */
const work = (machine: MadeUp, done: Parameters<typeof after>[1]) =>
  Effect.suspend(() => {
    if (machine.reading !== undefined) machine.reading = after(machine.reading, done)
    return TestClock.adjust("5 seconds")
  })

const halfBusy = { busy: 50, idle: 50 }

describe("the first call", () => {
  it.scoped("answers at once, with the load since the start of the system", () =>
    Effect.gen(function*() {
      const metrics = yield* sampling(madeUp())
      assert.deepStrictEqual(yield* metrics("5m"), {
        window: "5m",
        cpu: { average_percent: 25, peak_percent: 25 },
        memory: { average_bytes: 600, peak_bytes: 600, average_percent: 60 },
        disk_io: { read_bytes: 0, write_bytes: 0 },
        network_io: { rx_bytes: 0, tx_bytes: 0 }
      })
    }))

  it.scoped("answers with what happened since the gateway's start", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      const metrics = yield* sampling(machine)
      machine.reading = after(atRest, {
        busy: 30,
        idle: 10,
        available: 100,
        disk: { incoming: 11, outgoing: 22 },
        network: { incoming: 33, outgoing: 44 }
      })
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* metrics("1m"), {
        window: "1m",
        cpu: { average_percent: 75, peak_percent: 75 },
        memory: { average_bytes: 900, peak_bytes: 900, average_percent: 90 },
        disk_io: { read_bytes: 11, write_bytes: 22 },
        network_io: { rx_bytes: 33, tx_bytes: 44 }
      })
      yield* TestClock.adjust("1 second")
      yield* metrics("1m")
      assert.strictEqual(machine.readings, 2)
    }))

  it.scoped("loses nothing that happens before the clock moves", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      const metrics = yield* sampling(machine)
      machine.reading = after(atRest, { ...halfBusy, disk: { incoming: 1, outgoing: 2 } })
      assert.deepInclude(yield* metrics("1m"), { disk_io: { read_bytes: 1, write_bytes: 2 } })
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* metrics("1m"), { disk_io: { read_bytes: 1, write_bytes: 2 } })
    }))

  it.scoped("takes one sample, however many ask for it", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      const metrics = yield* sampling(machine)
      yield* TestClock.adjust("2 seconds")
      yield* Effect.all(Array.from({ length: 20 }, () => metrics("1m")), { concurrency: "unbounded" })
      assert.strictEqual(machine.readings, 2)
    }))

  it.scoped("answers with zeros where the system counts nothing", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      machine.reading = {
        processors: { busy: 0, idle: 0 },
        memory: { total: 0, available: 0 },
        disks: new Map(),
        networks: new Map()
      }
      const metrics = yield* sampling(machine)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* metrics("24h"), {
        window: "24h",
        cpu: { average_percent: 0, peak_percent: 0 },
        memory: { average_bytes: 0, peak_bytes: 0, average_percent: 0 },
        disk_io: { read_bytes: 0, write_bytes: 0 },
        network_io: { rx_bytes: 0, tx_bytes: 0 }
      })
    }))
})

describe("a window", () => {
  it.scoped("has averages, peaks and sums of its samples", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      const metrics = yield* sampling(machine)
      yield* work(machine, {
        busy: 90,
        idle: 10,
        available: 0,
        disk: { incoming: 1, outgoing: 10 },
        network: { incoming: 100, outgoing: 1000 }
      })
      yield* work(machine, {
        busy: 10,
        idle: 90,
        available: 500,
        disk: { incoming: 2, outgoing: 20 },
        network: { incoming: 200, outgoing: 2000 }
      })
      yield* work(machine, { busy: 1, idle: 2 })
      assert.deepStrictEqual(yield* metrics("5m"), {
        window: "5m",
        cpu: { average_percent: 44.44, peak_percent: 90 },
        memory: { average_bytes: 667, peak_bytes: 1000, average_percent: 66.67 },
        disk_io: { read_bytes: 3, write_bytes: 30 },
        network_io: { rx_bytes: 300, tx_bytes: 3000 }
      })
    }))

  it.scoped("leaves out what was before it", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      const metrics = yield* sampling(machine)
      yield* work(machine, { busy: 100, disk: { incoming: 1000, outgoing: 0 } })
      for (let i = 0; i < 12; i++) yield* work(machine, { ...halfBusy, disk: { incoming: 1, outgoing: 0 } })
      const last = yield* metrics("1m")
      assert.deepInclude(last, {
        cpu: { average_percent: 50, peak_percent: 50 },
        disk_io: { read_bytes: 12, write_bytes: 0 }
      })
      const more = yield* metrics("5m")
      assert.deepInclude(more, {
        cpu: { average_percent: 53.85, peak_percent: 100 },
        disk_io: { read_bytes: 1012, write_bytes: 0 }
      })
    }))

  it.scoped("of each length ends where it says", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      const metrics = yield* sampling(machine).pipe(
        Effect.provideService(Sampler.SamplingInterval, Duration.seconds(30))
      )
      const samples = 75 * 2
      for (let i = 0; i < samples; i++) {
        machine.reading = after(machine.reading ?? atRest, { network: { incoming: 30_000, outgoing: 1 } })
        yield* TestClock.adjust("30 seconds")
      }
      const received = (window: Window) => Effect.map(metrics(window), ({ network_io }) => network_io.rx_bytes)
      assert.strictEqual(yield* received("1m"), 60_000)
      assert.strictEqual(yield* received("5m"), 300_000)
      assert.strictEqual(yield* received("15m"), 900_000)
      assert.strictEqual(yield* received("1h"), 3_600_000)
      assert.strictEqual(yield* received("24h"), 4_500_000)
      assert.strictEqual(machine.readings, 1 + samples)
    }))
})

describe("a counter", () => {
  it.scoped("that goes down counts from zero", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      const metrics = yield* sampling(machine)
      yield* work(machine, { ...halfBusy, disk: { incoming: 1, outgoing: 1 } })
      machine.reading = {
        ...atRest,
        processors: { busy: 1000, idle: 9000 },
        disks: new Map([["sda", { incoming: 40, outgoing: 9000 }]]),
        networks: new Map([["eth0", { incoming: 7, outgoing: 8 }]])
      }
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* metrics("5m"), {
        cpu: { average_percent: 30, peak_percent: 50 },
        disk_io: { read_bytes: 41, write_bytes: 2000 },
        network_io: { rx_bytes: 7, tx_bytes: 8 }
      })
    }))

  it.scoped("of idle time that goes down a little is no reset", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      const metrics = yield* sampling(machine)
      yield* work(machine, { busy: 10, idle: -20 })
      assert.deepInclude(yield* metrics("5m"), { cpu: { average_percent: 100, peak_percent: 100 } })
    }))

  it.scoped("belongs to a device: one that goes takes nothing away, one that comes counts from zero", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      const metrics = yield* sampling(machine)
      machine.reading = {
        ...after(atRest, halfBusy),
        disks: new Map([["sdb", { incoming: 3, outgoing: 4 }]]),
        networks: new Map()
      }
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* metrics("5m"), {
        disk_io: { read_bytes: 3, write_bytes: 4 },
        network_io: { rx_bytes: 0, tx_bytes: 0 }
      })
    }))
})

describe("a reading that fails", () => {
  it.scoped("is left out, and its time covered by the next", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      const metrics = yield* sampling(machine)
      machine.reading = undefined
      yield* TestClock.adjust("10 seconds")
      machine.reading = after(atRest, { ...halfBusy, disk: { incoming: 8, outgoing: 9 } })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(machine.readings, 4)
      assert.deepInclude(yield* metrics("1m"), {
        cpu: { average_percent: 50, peak_percent: 50 },
        disk_io: { read_bytes: 8, write_bytes: 9 }
      })
    }))

  it.scoped("is a MetricsError where there is no sample, and only there", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      machine.reading = undefined
      const metrics = yield* sampling(machine)
      const error = yield* Effect.flip(metrics("5m"))
      assert.instanceOf(error, CapabilityUnavailable)
      assert.deepInclude(error, { type: "MetricsError", reason: "MetricsError" })
      assert.notInclude(error.message, "/host/path")
      machine.reading = atRest
      assert.deepInclude(yield* metrics("5m"), { cpu: { average_percent: 25, peak_percent: 25 } })
      yield* work(machine, halfBusy)
      machine.reading = undefined
      assert.deepInclude(yield* metrics("5m"), { cpu: { average_percent: 50, peak_percent: 50 } })
      yield* TestClock.adjust("2 minutes")
      assert.deepInclude(yield* Effect.flip(metrics("1m")), { type: "MetricsError" })
      yield* metrics("5m")
    }))
})

describe("sampling", () => {
  it.effect("goes on every five seconds, and ends with its scope", () =>
    Effect.gen(function*() {
      const machine = madeUp()
      const scope = yield* Scope.make()
      yield* Scope.extend(Sampler.make, scope).pipe(on(machine))
      assert.strictEqual(machine.readings, 1)
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual(machine.readings, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(machine.readings, 2)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(machine.readings, 14)
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(machine.readings, 14)
    }))
})
