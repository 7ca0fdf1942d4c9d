import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { health } from "../../../catalogue/system.js"
import { CapabilityUnavailable } from "../../../errors/general.js"
import { ApprovalRequests } from "../../store/Approvals.js"
import type { Handler } from "../Handler.js"
import { CurrentMachine } from "./CurrentMachine.js"
import type { Capacity, MachineUnreadable } from "./Machine.js"
import { percentUsed, roundPercent } from "./percent.js"
import type { Sampler } from "./Sampler.js"

type Status = "healthy" | "degraded" | "unhealthy"

interface Service {
  readonly name: string
  readonly status: Status
  readonly message: string
}

const worst = (services: ReadonlyArray<Service>): Status =>
  (["unhealthy", "degraded"] as const).find((status) => services.some((service) => service.status === status)) ??
    "healthy"

const storeService = (answers: boolean): Service =>
  answers
    ? { name: "store", status: "healthy", message: "The store answers" }
    : { name: "store", status: "unhealthy", message: "The store does not answer" }

const workspaceService = (usable: boolean): Service =>
  usable
    ? { name: "workspace", status: "healthy", message: "The workspace can be read and written" }
    : { name: "workspace", status: "unhealthy", message: "The workspace is not there, or cannot be read and written" }

const diskService = (disk: Option.Option<Capacity>): Service => {
  if (Option.isNone(disk)) {
    return { name: "disk", status: "unhealthy", message: "The disk of the workspace cannot be read" }
  }
  const free = 100 - percentUsed(disk.value)
  return {
    name: "disk",
    status: free < 1 ? "unhealthy" : free < 5 ? "degraded" : "healthy",
    message: `${roundPercent(free)} % of the workspace's disk is free`
  }
}

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
export const makeHealth = (sampler: Sampler) =>
  Effect.gen(function*() {
    const approvals = yield* ApprovalRequests
    const machine = yield* CurrentMachine
    const handler: Handler<typeof health> = (_input, { workspace: { root } }) =>
      Effect.gen(function*() {
        const { disk, load, memory, openFiles, pending, usable } = yield* Effect.all({
          pending: Effect.option(Effect.timeout(approvals.pendingCount, "5 seconds")),
          usable: Effect.isSuccess(machine.usableDirectory(root)),
          disk: Effect.option(machine.fileSystem(root)),
          load: sampler.during("10 seconds"),
          memory: machine.memory,
          openFiles: machine.openFiles
        }, { concurrency: "unbounded" })
        const services = [storeService(Option.isSome(pending)), workspaceService(usable), diskService(disk)]
        return {
          overall_status: worst(services),
          services,
          resource_usage: {
            cpu_percent: roundPercent(load.processors.average),
            memory_percent: roundPercent(percentUsed(memory)),
            disk_percent: Option.match(disk, { onNone: () => 0, onSome: (of) => roundPercent(percentUsed(of)) }),
            open_files: openFiles
          },
          // Nothing raises alerts yet, and no audit record waits to be written.
          queue_depths: { approval_pending: Option.getOrElse(pending, () => 0), alerts_pending: 0, audit_buffer: 0 }
        }
      }).pipe(Effect.mapError(healthError))
    return handler
  })
