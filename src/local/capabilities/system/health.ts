import * as Effect from "effect/Effect"
import type { health } from "../../../catalogue/system.js"
import { CapabilityUnavailable } from "../../../errors/general.js"
import { AuditBuffer } from "../../audit/AuditBuffer.js"
import type { Handler } from "../Handler.js"
import { HealthCheck } from "./healthCheck.js"
import type { MachineUnreadable } from "./Machine.js"

const healthError = (cause: MachineUnreadable) =>
  new CapabilityUnavailable({
    type: "HealthCheckError",
    reason: "HealthCheckError",
    message: `The check could not be carried out: ${cause.message}`,
    cause
  })

/**
 * Makes the handler of `system.health`. A service that fails makes it say so, not fail; a disk that cannot be read shows
 * as 0 percent, a queue that cannot be counted as empty. `cpu_percent` is of the last ten seconds.
 */
export const makeHealth = Effect.zipWith(
  HealthCheck,
  AuditBuffer,
  ({ check }, { waiting }): Handler<typeof health> => (_input, { workspace }) =>
    Effect.mapBoth(check(workspace.root), {
      onFailure: healthError,
      onSuccess: ({ alertsPending, approvalsPending, components, resourceUsage, status }) => ({
        overall_status: status,
        services: components.map(({ message, name, status }) => ({ name, status, message })),
        resource_usage: resourceUsage,
        queue_depths: { approval_pending: approvalsPending, alerts_pending: alertsPending, audit_buffer: waiting() }
      })
    })
)
