import type { Reference } from "./Documented.js"

const common = { tier: "autonomous", version: "1.0" }

/** `system.*`, as documented. */
export const system: Reference = {
  "system.info": {
    ...common,
    tags: "system, info, safe, read",
    inputs: {},
    outputs: {
      os_version: "String",
      uptime_seconds: "Integer",
      agent_count: "Integer",
      cpu_count: "Integer",
      memory_total_bytes: "Integer",
      memory_available_bytes: "Integer",
      disk_total_bytes: "Integer",
      disk_available_bytes: "Integer"
    },
    errors: { SystemInfoError: "retry" }
  },
  "system.health": {
    ...common,
    tags: "system, health, diagnostics, safe, read",
    inputs: {},
    outputs: { overall_status: "String", services: "Array", resource_usage: "Object", queue_depths: "Object" },
    errors: { HealthCheckError: "retry" }
  },
  "system.metrics": {
    ...common,
    tags: "system, metrics, diagnostics, safe, read",
    inputs: { window: "String? = \"5m\"" },
    outputs: { window: "String", cpu: "Object", memory: "Object", disk_io: "Object", network_io: "Object" },
    errors: { MetricsError: "retry" }
  },
  "system.time": {
    ...common,
    tags: "system, time, safe, read",
    inputs: { timezone: "String?" },
    outputs: {
      utc: "DateTime",
      unix_epoch: "Integer",
      unix_epoch_ms: "Integer",
      local: "DateTime",
      timezone: "String"
    },
    errors: { InvalidTimezone: "fix_timezone" }
  }
}
