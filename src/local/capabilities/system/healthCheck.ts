import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { service } from "../../inOrder.js"
import { Alerts } from "../../store/Alerts.js"
import { ApprovalRequests } from "../../store/Approvals.js"
import { CurrentMachine } from "./CurrentMachine.js"
import type { Capacity, MachineUnreadable } from "./Machine.js"
import { percentUsed, roundPercent } from "./percent.js"
import { MachineSampler } from "./Sampler.js"

export type Status = "healthy" | "degraded" | "unhealthy"

/** A part of the gateway, and how it is. */
export interface Component {
  readonly name: "store" | "workspace" | "disk"
  readonly status: Status
  readonly message: string
  /** What the status is measured by, in words. */
  readonly threshold: string
}

/** How a gateway is, with names as they go on the wire. */
export interface HealthReport {
  /** That of the worst component. */
  readonly status: Status
  readonly components: ReadonlyArray<Component>
  readonly resourceUsage: {
    /** Of the last ten seconds. */
    readonly cpu_percent: number
    readonly memory_percent: number
    /** 0 where the disk cannot be read. */
    readonly disk_percent: number
    readonly open_files: number
  }
  /** How many requests for approval wait; 0 where they cannot be counted. */
  readonly approvalsPending: number
  /** How many alerts nobody has acknowledged; 0 where they cannot be counted. */
  readonly alertsPending: number
}

/** Looks at how the gateway is: for agents, for supervisors, and for the one who raises alerts. */
export class HealthCheck extends Context.Tag("kruxos/local/HealthCheck")<HealthCheck, {
  /**
   * Looks at the store, and at the workspace with that root. What does not work makes a component unhealthy; it fails only where
   * the machine's own figures cannot be read.
   */
  readonly check: (root: string) => Effect.Effect<HealthReport, MachineUnreadable>
}>() {}

const worst = (components: ReadonlyArray<Component>): Status =>
  (["unhealthy", "degraded"] as const).find((status) => components.some((component) => component.status === status)) ??
    "healthy"

const storeComponent = (answers: boolean): Component => ({
  name: "store",
  ...(answers
    ? { status: "healthy", message: "The store answers" }
    : { status: "unhealthy", message: "The store does not answer" }),
  threshold: "answers within 5 seconds"
})

const workspaceComponent = (usable: boolean): Component => ({
  name: "workspace",
  ...(usable
    ? { status: "healthy", message: "The workspace can be read and written" }
    : { status: "unhealthy", message: "The workspace is not there, or cannot be read and written" }),
  threshold: "can be read and written within 5 seconds"
})

const diskComponent = (disk: Option.Option<Capacity>): Component => {
  const threshold = "5 % free, or 1 %"
  if (Option.isNone(disk)) {
    return { name: "disk", status: "unhealthy", message: "The disk of the workspace cannot be read", threshold }
  }
  const free = 100 - percentUsed(disk.value)
  return {
    name: "disk",
    status: free < 1 ? "unhealthy" : free < 5 ? "degraded" : "healthy",
    message: `${roundPercent(free)} % of the workspace's disk is free`,
    threshold
  }
}

/** Looks at the machine that is there when it is built. */
export const layer: Layer.Layer<HealthCheck, never, Alerts | ApprovalRequests | MachineSampler> = service(
  HealthCheck,
  Effect.gen(function*() {
    const alerts = yield* Alerts
    const approvals = yield* ApprovalRequests
    const machine = yield* CurrentMachine
    const sampler = yield* MachineSampler
    const check = (root: string) =>
      Effect.map(
        Effect.all({
          pending: Effect.option(Effect.timeout(approvals.pendingCount, "5 seconds")),
          alertsPending: Effect.option(Effect.timeout(alerts.pending, "5 seconds")),
          usable: Effect.isSuccess(Effect.timeout(machine.usableDirectory(root), "5 seconds")),
          disk: Effect.option(Effect.timeout(machine.fileSystem(root), "5 seconds")),
          load: sampler.during("10 seconds"),
          memory: machine.memory,
          openFiles: machine.openFiles
        }, { concurrency: "unbounded" }),
        ({ alertsPending, disk, load, memory, openFiles, pending, usable }): HealthReport => {
          const components = [storeComponent(Option.isSome(pending)), workspaceComponent(usable), diskComponent(disk)]
          return {
            status: worst(components),
            components,
            resourceUsage: {
              cpu_percent: roundPercent(load.processors.average),
              memory_percent: roundPercent(percentUsed(memory)),
              disk_percent: Option.match(disk, { onNone: () => 0, onSome: (of) => roundPercent(percentUsed(of)) }),
              open_files: openFiles
            },
            approvalsPending: Option.getOrElse(pending, () => 0),
            alertsPending: Option.getOrElse(alertsPending, () => 0)
          }
        }
      )
    return { check }
  })
)
