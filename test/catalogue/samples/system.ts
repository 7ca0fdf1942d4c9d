import type { Samples } from "./Sample.js"

/** An input and an output of each capability of `system.*`, as they go over the wire. */
export const system = {
  "system.info": {
    input: {},
    output: {
      os_version: "KruxOS 1.2",
      uptime_seconds: 86_400,
      agent_count: 3,
      cpu_count: 4,
      memory_total_bytes: 8_589_934_592,
      memory_available_bytes: 4_294_967_296,
      disk_total_bytes: 68_719_476_736,
      disk_available_bytes: 34_359_738_368
    }
  },
  "system.health": {
    input: {},
    output: {
      overall_status: "degraded",
      services: [
        { name: "gateway", status: "healthy", message: "" },
        { name: "vault", status: "unhealthy", message: "It is locked" }
      ],
      resource_usage: { cpu_percent: 12.5, memory_percent: 50, disk_percent: 49.9, open_files: 113 },
      queue_depths: { approval_pending: 1, alerts_pending: 0, audit_buffer: 7 }
    }
  },
  "system.metrics": {
    input: { window: "1h" },
    output: {
      window: "1h",
      cpu: { average_percent: 12.5, peak_percent: 98 },
      memory: { average_bytes: 4_294_967_296, peak_bytes: 5_368_709_120, average_percent: 50 },
      disk_io: { read_bytes: 4096, write_bytes: 0 },
      network_io: { rx_bytes: 1024, tx_bytes: 512 }
    }
  },
  "system.time": {
    input: { timezone: "Europe/Vienna" },
    output: {
      utc: "2025-01-31T08:00:00.000Z",
      unix_epoch: 1_738_310_400,
      unix_epoch_ms: 1_738_310_400_000,
      local: "2025-01-31T09:00:00.000+01:00",
      timezone: "Europe/Vienna"
    }
  }
} satisfies Samples
