import * as Effect from "effect/Effect"
import type { metrics } from "../../../catalogue/system.js"
import { CapabilityUnavailable } from "../../../errors/general.js"
import type { Handler } from "../Handler.js"
import type { MachineUnreadable } from "./Machine.js"
import { roundPercent } from "./percent.js"
import type { Sampler } from "./Sampler.js"

const windows = {
  "1m": "1 minute",
  "5m": "5 minutes",
  "15m": "15 minutes",
  "1h": "1 hour",
  "24h": "24 hours"
} as const

const metricsError = (cause: MachineUnreadable) =>
  new CapabilityUnavailable({
    type: "MetricsError",
    reason: "MetricsError",
    message: `There are no figures: ${cause.message}`,
    cause
  })

/**
 * Makes the handler of `system.metrics`. The figures reach back to the start of the gateway at most. Disks are whole
 * disks and networks all interfaces but the loopback; where the system does not count their bytes they are 0.
 */
export const makeMetrics = (sampler: Sampler): Handler<typeof metrics> => ({ window }) =>
  sampler.during(windows[window]).pipe(
    Effect.map(({ disks, memory, networks, processors }) => ({
      window,
      cpu: { average_percent: roundPercent(processors.average), peak_percent: roundPercent(processors.peak) },
      memory: {
        average_bytes: Math.round(memory.averageBytes),
        peak_bytes: memory.peakBytes,
        average_percent: roundPercent(memory.averagePercent)
      },
      disk_io: { read_bytes: Math.round(disks.incoming), write_bytes: Math.round(disks.outgoing) },
      network_io: { rx_bytes: Math.round(networks.incoming), tx_bytes: Math.round(networks.outgoing) }
    })),
    Effect.mapError(metricsError)
  )
