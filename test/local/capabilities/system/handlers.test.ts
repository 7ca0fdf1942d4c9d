import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { CapabilityUnavailable } from "../../../../src/errors/general.js"
import { Agents } from "../../../../src/local/store/Agents.js"
import { ApprovalRequests } from "../../../../src/local/store/Approvals.js"
import * as Store from "../../../../src/local/store/Store.js"
import { invocationBy } from "../invocation.js"
import { after, atRest, auditBuffer, type MadeUp, madeUp, on, systemHandlers } from "./support.js"

const store = Effect.provide(Store.layer({ filename: ":memory:" }))

const unavailable = new SqlError({ cause: new Error("made up: /host/path"), message: "made up: /host/path" })

/** What `system.info` and `system.health` say of a machine, to an agent. */
const ask = (machine: MadeUp) =>
  Effect.gen(function*() {
    const handlers = yield* systemHandlers.pipe(on(machine))
    const invocation = yield* invocationBy("one")
    return { info: handlers["system.info"]({}, invocation), health: handlers["system.health"]({}, invocation) }
  })

describe("system.info", () => {
  it.scoped("describes the machine and counts the agents that may act", () =>
    store(Effect.gen(function*() {
      const agents = yield* Agents
      for (const name of ["one", "two", "three"]) yield* agents.create({ name })
      yield* agents.revoke("two")
      const { info } = yield* ask(madeUp())
      assert.deepStrictEqual(yield* info, {
        os_version: "Made Up 1.0",
        uptime_seconds: 12,
        agent_count: 2,
        cpu_count: 4,
        memory_total_bytes: 1000,
        memory_available_bytes: 400,
        disk_total_bytes: 1000,
        disk_available_bytes: 500
      })
    })))

  it.scoped("fails with SystemInfoError where the system does not say, and shows no path of the host", () =>
    store(Effect.gen(function*() {
      const machine = madeUp()
      const { info } = yield* ask(machine)
      machine.fileSystem = undefined
      const error = yield* Effect.flip(info)
      assert.instanceOf(error, CapabilityUnavailable)
      assert.deepInclude(error, { type: "SystemInfoError", reason: "SystemInfoError" })
      assert.include(error.message, "room on the disk")
      assert.notInclude(error.message, "/host/path")
    })))

  it.scoped("fails with SystemInfoError where the store does not answer", () =>
    store(Effect.gen(function*() {
      const agents = yield* Agents
      const { info } = yield* Effect.provideService(ask(madeUp()), Agents, {
        ...agents,
        list: Effect.fail(unavailable)
      })
      const error = yield* Effect.flip(info)
      assert.deepInclude(error, { _tag: "CapabilityUnavailable", type: "SystemInfoError" })
      assert.notInclude(error.message, "/host/path")
    })))
})

describe("system.health", () => {
  const statuses = (output: { readonly services: ReadonlyArray<{ readonly name: string; readonly status: string }> }) =>
    Object.fromEntries(output.services.map(({ name, status }) => [name, status]))

  it.scoped("says what is used and what waits", () =>
    store(Effect.gen(function*() {
      const approvals = yield* ApprovalRequests
      for (const agent of ["one", "two"]) {
        yield* approvals.request({
          agent,
          capability: "process.run",
          arguments: {},
          digest: "",
          rule: "tier",
          expiresAt: DateTime.unsafeMake(60_000)
        })
      }
      const machine = madeUp()
      const { health } = yield* ask(machine)
      machine.reading = after(atRest, { busy: 1, idle: 2 })
      yield* TestClock.adjust("5 seconds")
      const output = yield* health
      assert.deepStrictEqual(output, {
        overall_status: "healthy",
        services: [
          { name: "store", status: "healthy", message: "The store answers" },
          { name: "workspace", status: "healthy", message: "The workspace can be read and written" },
          { name: "disk", status: "healthy", message: "50 % of the workspace's disk is free" }
        ],
        resource_usage: { cpu_percent: 33.33, memory_percent: 60, disk_percent: 50, open_files: 17 },
        queue_depths: { approval_pending: 2, alerts_pending: 0, audit_buffer: auditBuffer }
      })
    })))

  it.scoped("shows the load of the last ten seconds", () =>
    store(Effect.gen(function*() {
      const machine = madeUp()
      const { health } = yield* ask(machine)
      const load = Effect.map(health, ({ resource_usage }) => resource_usage.cpu_percent)
      for (const busy of [100, 20, 60]) {
        if (machine.reading !== undefined) machine.reading = after(machine.reading, { busy, idle: 100 - busy })
        yield* TestClock.adjust("5 seconds")
      }
      assert.strictEqual(yield* load, 40)
      yield* TestClock.adjust("4999 millis")
      assert.approximately(yield* load, 60, 0.1)
    })))

  const fullness: ReadonlyArray<readonly [number, string]> = [
    [1000, "healthy"],
    [50, "healthy"],
    [49, "degraded"],
    [10, "degraded"],
    [9, "unhealthy"],
    [0, "unhealthy"]
  ]
  it.scoped.each(fullness)(
    "with %d of 1000 bytes free calls the disk %s",
    ([available, status]) =>
      store(Effect.gen(function*() {
        const machine = madeUp()
        machine.fileSystem = { total: 1000, available }
        const output = yield* (yield* ask(machine)).health
        assert.strictEqual(output.overall_status, status)
        assert.deepStrictEqual(statuses(output), { store: "healthy", workspace: "healthy", disk: status })
        assert.strictEqual(output.resource_usage.disk_percent, (1000 - available) / 10)
      }))
  )

  it.scoped("takes the worst as the status of the whole", () =>
    store(Effect.gen(function*() {
      const machine = madeUp()
      machine.fileSystem = { total: 1000, available: 20 }
      machine.directoryUsable = false
      const output = yield* (yield* ask(machine)).health
      assert.strictEqual(output.overall_status, "unhealthy")
      assert.deepStrictEqual(statuses(output), { store: "healthy", workspace: "unhealthy", disk: "degraded" })
    })))

  it.scoped("says so when the disk cannot be read", () =>
    store(Effect.gen(function*() {
      const machine = madeUp()
      machine.fileSystem = undefined
      const output = yield* (yield* ask(machine)).health
      assert.strictEqual(output.overall_status, "unhealthy")
      assert.deepStrictEqual(statuses(output), { store: "healthy", workspace: "healthy", disk: "unhealthy" })
      assert.strictEqual(output.resource_usage.disk_percent, 0)
      assert.notInclude(JSON.stringify(output), "/")
    })))

  const silences: ReadonlyArray<readonly [string, Effect.Effect<number, SqlError>]> = [
    ["fails", Effect.fail(unavailable)],
    ["never answers", Effect.never]
  ]
  it.scoped.each(silences)("says so when the store %s", ([, pendingCount]) =>
    store(Effect.gen(function*() {
      const approvals = yield* ApprovalRequests
      const { health } = yield* Effect.provideService(ask(madeUp()), ApprovalRequests, {
        ...approvals,
        pendingCount
      })
      const [output] = yield* Effect.all([health, TestClock.adjust("5 seconds")], { concurrency: "unbounded" })
      assert.strictEqual(output.overall_status, "unhealthy")
      assert.deepStrictEqual(statuses(output), { store: "unhealthy", workspace: "healthy", disk: "healthy" })
      assert.strictEqual(output.queue_depths.approval_pending, 0)
    })))

  it.scoped("says so when the disk never answers", () =>
    store(Effect.gen(function*() {
      const machine = madeUp()
      const silent = { ...machine.machine, fileSystem: () => Effect.never, usableDirectory: () => Effect.never }
      const { health } = yield* ask({ ...machine, machine: silent })
      const [output] = yield* Effect.all([health, TestClock.adjust("5 seconds")], { concurrency: "unbounded" })
      assert.strictEqual(output.overall_status, "unhealthy")
      assert.deepStrictEqual(statuses(output), { store: "healthy", workspace: "unhealthy", disk: "unhealthy" })
    })))

  it.scoped("fails with HealthCheckError only where the machine cannot be read", () =>
    store(Effect.gen(function*() {
      const machine = madeUp()
      machine.reading = undefined
      const error = yield* Effect.flip((yield* ask(machine)).health)
      assert.instanceOf(error, CapabilityUnavailable)
      assert.deepInclude(error, { type: "HealthCheckError", reason: "HealthCheckError" })
      assert.notInclude(error.message, "/host/path")
    })))
})
