import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as os from "node:os"
import { join } from "node:path"
import { builtIn } from "../../../../src/catalogue/builtIn.js"
import { MachineUnreadable } from "../../../../src/local/capabilities/system/Machine.js"
import { nodeMachine } from "../../../../src/local/capabilities/system/nodeMachine.js"
import * as Store from "../../../../src/local/store/Store.js"
import { temporaryFolder } from "../../store/support.js"
import { invocationBy } from "../invocation.js"
import { systemHandlers } from "./support.js"

const unreadable = <A>(effect: Effect.Effect<A, MachineUnreadable>, figure: string) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.instanceOf(error, MachineUnreadable)
    assert.strictEqual(error.figure, figure)
  })

describe("the machine under this test", () => {
  it.live("describes itself", () =>
    Effect.map(nodeMachine.description, ({ osVersion, processorCount, uptimeSeconds }) => {
      assert.include(osVersion, os.release())
      assert.isAtLeast(processorCount, 1)
      assert.isAbove(uptimeSeconds, 0)
    }))

  it.live("has figures that fit together and counters that do not go back", () =>
    Effect.gen(function*() {
      const first = yield* nodeMachine.reading
      const second = yield* nodeMachine.reading
      for (const { memory } of [first, second]) {
        assert.strictEqual(memory.total, os.totalmem())
        assert.isAbove(memory.available, 0)
        assert.isAtMost(memory.available, memory.total)
      }
      assert.isAbove(first.processors.busy + first.processors.idle, 0)
      assert.isAtLeast(second.processors.busy, first.processors.busy)
      for (const kind of ["disks", "networks"] as const) {
        for (const [name, { incoming, outgoing }] of first[kind]) {
          assert.isAtLeast(second[kind].get(name)?.incoming ?? 0, incoming)
          assert.isAtLeast(second[kind].get(name)?.outgoing ?? 0, outgoing)
        }
      }
      assert.isFalse(first.networks.has("lo"))
    }))

  it.scopedLive("has a file system below every folder", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const { available, total } = yield* nodeMachine.fileSystem(folder)
      assert.isAbove(available, 0)
      assert.isAtLeast(total, available)
      yield* unreadable(nodeMachine.fileSystem(join(folder, "missing")), "room on the disk")
    }))

  it.scopedLive("knows a directory that it can use", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      yield* nodeMachine.usableDirectory(folder)
      const file = join(folder, "file")
      fs.writeFileSync(file, "")
      yield* unreadable(nodeMachine.usableDirectory(file), "directory")
      yield* unreadable(nodeMachine.usableDirectory(join(folder, "missing")), "directory")
    }))

  it.scopedLive.skipIf(process.getuid?.() === 0)(
    "knows a directory that it may not write",
    () =>
      Effect.gen(function*() {
        const folder = yield* temporaryFolder
        fs.chmodSync(folder, 0o500)
        yield* unreadable(nodeMachine.usableDirectory(folder), "directory")
      })
  )

  it.scopedLive.runIf(fs.existsSync("/proc/self/fd"))("counts open files", () =>
    Effect.gen(function*() {
      const before = yield* nodeMachine.openFiles
      for (let i = 0; i < 50; i++) {
        yield* Effect.acquireRelease(
          Effect.sync(() => fs.openSync("/dev/null", "r")),
          (file) => Effect.sync(() => fs.closeSync(file))
        )
      }
      // The test runner opens and closes files of its own meanwhile.
      assert.approximately(yield* nodeMachine.openFiles, before + 50, 25)
    }))
})

describe("the handlers on it", () => {
  it.scopedLive("give real figures at the first call, in the form of the catalogue", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const handlers = yield* systemHandlers
      const invocation = yield* invocationBy("one", folder)
      const info = yield* handlers["system.info"]({}, invocation)
      const health = yield* handlers["system.health"]({}, invocation)
      const metrics = yield* handlers["system.metrics"]({ window: "5m" }, invocation)
      const time = yield* handlers["system.time"]({ timezone: "Europe/Vienna" }, invocation)
      yield* Schema.encode(builtIn["system.info"].outputSchema)(info)
      yield* Schema.encode(builtIn["system.health"].outputSchema)(health)
      yield* Schema.encode(builtIn["system.metrics"].outputSchema)(metrics)
      yield* Schema.encode(builtIn["system.time"].outputSchema)(time)
      assert.isAbove(info.disk_total_bytes, 0)
      assert.deepStrictEqual(health.services.slice(0, 2).map(({ status }) => status), ["healthy", "healthy"])
      assert.isAbove(health.resource_usage.memory_percent, 0)
      assert.isAbove(metrics.memory.average_bytes, 0)
      assert.isAtLeast(metrics.cpu.peak_percent, metrics.cpu.average_percent)
      assert.notInclude(JSON.stringify([info, health, metrics, time]), folder)
    }).pipe(Effect.provide(Store.layer({ filename: ":memory:" }))))
})
