import type { BuiltIn } from "../builtIn.js"
import type { ProsesOf } from "../Prose.js"

/** The words of `system.*`. */
export const system: ProsesOf<BuiltIn, "system"> = {
  "system.info": {
    purpose: "Describes the machine: operating system, uptime, number of agents, processors, memory and disk.",
    whenToUse: "Use it to judge whether there is room for large files or heavy work. For load over time take " +
      "system.metrics, for faults system.health.",
    inputs: {},
    outputs: {
      os_version: "Name and version of the operating system.",
      uptime_seconds: "How long the system has been running, in seconds.",
      agent_count: "How many agents there are.",
      cpu_count: "How many processors there are.",
      memory_total_bytes: "The memory there is, in bytes.",
      memory_available_bytes: "The memory that can still be used, in bytes.",
      disk_total_bytes: "The size of the disk, in bytes.",
      disk_available_bytes: "The room left on the disk, in bytes."
    },
    errors: { SystemInfoError: "The operating system did not give the figures." },
    sideEffects: [],
    commonPatterns: [{
      description: "Make sure that a large file fits",
      steps: ["system.info and compare disk_available_bytes with the size", "filesystem.write"]
    }]
  },
  "system.health": {
    purpose: "Tells whether the gateway and its services work, with the load and the length of their queues.",
    whenToUse: "Use it after a service was unavailable, to see whether waiting helps. A slow answer alone is better " +
      "explained by system.metrics.",
    inputs: {},
    outputs: {
      overall_status: "healthy, degraded or unhealthy: the state of the whole.",
      services: "Each service with its status and a message that says why.",
      resource_usage: "Percentages of processor, memory and disk in use, and the number of open files.",
      queue_depths: "How many approvals, alerts and audit records are waiting."
    },
    errors: { HealthCheckError: "The check itself could not be carried out." },
    sideEffects: [],
    commonPatterns: [{
      description: "Decide what to do about an unavailable service",
      steps: [
        "system.health and find the service",
        "Degraded: retry later; unhealthy: go on without it or tell the supervisor"
      ]
    }]
  },
  "system.metrics": {
    purpose: "Gives average and peak use of processor, memory, disk and network over a recent span of time.",
    whenToUse: "Use it to see whether the machine is busy before heavy work, or why something was slow. For fixed " +
      "sizes take system.info; for your own share agent.session.",
    inputs: { window: "The span to look back over." },
    outputs: {
      window: "The span that the figures cover.",
      cpu: "Average and peak use of the processors, in percent.",
      memory: "Average and peak memory in bytes, and the average in percent.",
      disk_io: "Bytes read from and written to disks.",
      network_io: "Bytes received and sent."
    },
    errors: { MetricsError: "There are no figures to give." },
    sideEffects: [],
    commonPatterns: [{
      description: "Wait for a quiet moment",
      steps: ["system.metrics with window 1m", "Start when cpu.average_percent is low, else ask again later"]
    }]
  },
  "system.time": {
    purpose: "Tells the present time: in UTC, as Unix time, and on the clock of a time zone that you name.",
    whenToUse: "Use it whenever the date or time matters; do not guess it. It also converts the present moment to a " +
      "zone, but no other moment.",
    inputs: { timezone: "A zone of the IANA database, such as Europe/Vienna. Leave it out for UTC alone." },
    outputs: {
      utc: "The present time in UTC.",
      unix_epoch: "Seconds since the beginning of 1970, UTC.",
      unix_epoch_ms: "Milliseconds since the beginning of 1970, UTC.",
      local: "The time on the clock of the zone; null when no zone was named.",
      timezone: "The zone that was used; UTC when none was named."
    },
    errors: { InvalidTimezone: "No zone has this name." },
    sideEffects: [],
    commonPatterns: [{
      description: "Name a file after the day",
      steps: ["system.time with the user's timezone", "filesystem.write to a path that starts with the date of local"]
    }]
  }
}
