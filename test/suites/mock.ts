import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { MockGateway } from "../../src/testing/MockGateway.js"
import { workspaceFiles } from "./workspaceFiles.js"

const gibibyte = 1024 ** 3

/** The mock gateway, with a script of the machine, which it does not measure. */
export const mock = MockGateway.layer({
  files: workspaceFiles,
  capabilities: {
    "system.info": {
      os_version: "KruxOS 1.0",
      uptime_seconds: 60,
      agent_count: 1,
      cpu_count: 2,
      memory_total_bytes: 4 * gibibyte,
      memory_available_bytes: gibibyte,
      disk_total_bytes: 40 * gibibyte,
      disk_available_bytes: 10 * gibibyte
    },
    "system.health": {
      overall_status: "healthy",
      services: [],
      resource_usage: { cpu_percent: 1.5, memory_percent: 75, disk_percent: 75, open_files: 20 },
      queue_depths: { approval_pending: 0, alerts_pending: 0, audit_buffer: 0 }
    },
    "system.time": ({ timezone = "UTC" }) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const zoned = DateTime.unsafeMakeZoned(now, { timeZone: timezone })
        return {
          utc: DateTime.unsafeMake(now),
          unix_epoch: Math.floor(now / 1000),
          unix_epoch_ms: now,
          local: DateTime.formatIsoOffset(zoned),
          timezone
        }
      })
  }
})
