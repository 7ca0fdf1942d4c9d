import { assert, expect } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { CurrentMachine } from "../../../../src/local/capabilities/system/CurrentMachine.js"
import { madeUp } from "../../../local/capabilities/system/support.js"
import { failing, type Table } from "../Row.js"
import type { World } from "../World.js"

const unavailable = { _tag: "CapabilityUnavailable" }

// A gateway on a machine that no longer gives its figures.
const unreadable = ({ elsewhere }: World) =>
  Effect.gen(function*() {
    const made = madeUp()
    const world = yield* Effect.provideService(elsewhere(), CurrentMachine, made.machine)
    made.reading = undefined
    return world
  })

export const system: Table<"system"> = {
  "system.info": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const info = yield* invoke("system.info")
        assert.isAbove(info.cpu_count, 0)
        assert.isAbove(info.agent_count, 0)
        assert.isAtLeast(info.memory_total_bytes, info.memory_available_bytes)
        assert.isAtLeast(info.disk_total_bytes, info.disk_available_bytes)
      }),
    errors: {
      SystemInfoError: (world) =>
        Effect.flatMap(unreadable(world), ({ invoke }) => failing(invoke("system.info"), unavailable))
    }
  },
  "system.health": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const health = yield* invoke("system.health")
        assert.deepStrictEqual(health.services.map(({ name }) => name), ["store", "workspace", "disk"])
        assert.isAbove(health.resource_usage.open_files, 0)
      }),
    errors: {
      HealthCheckError: (world) =>
        Effect.flatMap(unreadable(world), ({ invoke }) => failing(invoke("system.health"), unavailable))
    },
    limits: {
      "says which service does not work": ({ without }) =>
        Effect.flatMap(without("approvals"), ({ invoke }) =>
          Effect.map(invoke("system.health"), (health) => {
            assert.strictEqual(health.overall_status, "unhealthy")
            expect(health.services).toContainEqual(expect.objectContaining({ name: "store", status: "unhealthy" }))
          }))
    }
  },
  "system.metrics": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const metrics = yield* invoke("system.metrics", { window: "1m" })
        assert.strictEqual(metrics.window, "1m")
        assert.isAtLeast(metrics.memory.peak_bytes, metrics.memory.average_bytes)
        assert.isAbove(metrics.memory.average_bytes, 0)
      }),
    errors: {
      MetricsError: (world) =>
        Effect.flatMap(unreadable(world), ({ invoke }) => failing(invoke("system.metrics"), unavailable))
    }
  },
  "system.time": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const time = yield* invoke("system.time", { timezone: "Asia/Tokyo" })
        assert.match(time.local ?? "", /\+09:00/)
        assert.strictEqual(time.unix_epoch_ms, DateTime.toEpochMillis(time.utc))
        assert.strictEqual(time.timezone, "Asia/Tokyo")
      }),
    errors: {
      InvalidTimezone: ({ invoke }) =>
        failing(invoke("system.time", { timezone: "Mars/Olympus" }), { _tag: "InvalidInput", field: "timezone" })
    },
    limits: {
      "is in UTC where no timezone is given": ({ invoke }) =>
        Effect.gen(function*() {
          assert.strictEqual((yield* invoke("system.time")).timezone, "UTC")
        })
    }
  }
}
