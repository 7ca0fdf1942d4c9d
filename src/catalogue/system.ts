import * as Schema from "effect/Schema"
import { CapabilityUnavailable, InvalidInput } from "../errors/general.js"
import { DateTimeUtc, Float, Integer, LocalDateTime, openEnumeration } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const Health = openEnumeration("healthy", "degraded", "unhealthy")

export const info = make("system.info", {
  tier: "autonomous",
  tags: ["system", "info", "safe", "read"],
  inputs: {},
  outputs: {
    os_version: Schema.String,
    uptime_seconds: Integer,
    agent_count: Integer,
    cpu_count: Integer,
    memory_total_bytes: Integer,
    memory_available_bytes: Integer,
    disk_total_bytes: Integer,
    disk_available_bytes: Integer
  },
  errors: { SystemInfoError: failure(CapabilityUnavailable, "retry") }
})

export const health = make("system.health", {
  tier: "autonomous",
  tags: ["system", "health", "diagnostics", "safe", "read"],
  inputs: {},
  outputs: {
    overall_status: Health,
    services: Schema.Array(Schema.Struct({ name: Schema.String, status: Health, message: Schema.String })),
    resource_usage: Schema.Struct({
      cpu_percent: Float,
      memory_percent: Float,
      disk_percent: Float,
      open_files: Integer
    }),
    queue_depths: Schema.Struct({ approval_pending: Integer, alerts_pending: Integer, audit_buffer: Integer })
  },
  errors: { HealthCheckError: failure(CapabilityUnavailable, "retry") }
})

export const metrics = make("system.metrics", {
  tier: "autonomous",
  tags: ["system", "metrics", "diagnostics", "safe", "read"],
  inputs: { window: optional(Schema.Literal("1m", "5m", "15m", "1h", "24h"), "5m") },
  outputs: {
    window: openEnumeration("1m", "5m", "15m", "1h", "24h"),
    cpu: Schema.Struct({ average_percent: Float, peak_percent: Float }),
    memory: Schema.Struct({ average_bytes: Integer, peak_bytes: Integer, average_percent: Float }),
    disk_io: Schema.Struct({ read_bytes: Integer, write_bytes: Integer }),
    network_io: Schema.Struct({ rx_bytes: Integer, tx_bytes: Integer })
  },
  errors: { MetricsError: failure(CapabilityUnavailable, "retry") }
})

export const time = make("system.time", {
  tier: "autonomous",
  tags: ["system", "time", "safe", "read"],
  inputs: { timezone: optional(Schema.String) },
  outputs: {
    utc: DateTimeUtc,
    unix_epoch: Integer,
    unix_epoch_ms: Integer,
    local: Schema.NullOr(LocalDateTime),
    timezone: Schema.String
  },
  errors: { InvalidTimezone: failure(InvalidInput, "fix_timezone") }
})
