import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AuditBuffer } from "../../../../src/local/audit/AuditBuffer.js"
import { CurrentMachine } from "../../../../src/local/capabilities/system/CurrentMachine.js"
import { makeSystemHandlers } from "../../../../src/local/capabilities/system/handlers.js"
import * as HealthCheck from "../../../../src/local/capabilities/system/healthCheck.js"
import {
  type Machine,
  MachineUnreadable,
  type Reading,
  type Transfer
} from "../../../../src/local/capabilities/system/Machine.js"
import * as Sampler from "../../../../src/local/capabilities/system/Sampler.js"

/** A machine at rest: 1000 bytes of memory with 400 left, one disk and one network that have seen something. */
export const atRest: Reading = {
  processors: { busy: 1000, idle: 3000 },
  memory: { total: 1000, available: 400 },
  disks: new Map([["sda", { incoming: 5000, outgoing: 7000 }]]),
  networks: new Map([["eth0", { incoming: 100, outgoing: 200 }]])
}

/** A machine whose figures a test sets; a figure that is undefined cannot be read. */
export interface MadeUp {
  reading: Reading | undefined
  fileSystem: { readonly total: number; readonly available: number } | undefined
  directoryUsable: boolean
  readings: number
  readonly machine: Machine
}

const broken = (figure: string) => new MachineUnreadable({ figure, cause: new Error("made up: /host/path") })

const known = <A>(figure: string, value: () => A | undefined): Effect.Effect<A, MachineUnreadable> =>
  Effect.suspend(() => {
    const now = value()
    return now === undefined ? broken(figure) : Effect.succeed(now)
  })

export const madeUp = (): MadeUp => {
  const self: MadeUp = {
    reading: atRest,
    fileSystem: { total: 1000, available: 500 },
    directoryUsable: true,
    readings: 0,
    machine: {
      description: Effect.map(
        known("description of the system", () => self.reading),
        () => ({ osVersion: "Made Up 1.0", uptimeSeconds: 12.9, processorCount: 4 })
      ),
      memory: Effect.map(known("memory", () => self.reading), ({ memory }) => memory),
      reading: Effect.suspend(() => {
        self.readings++
        return known("reading", () => self.reading)
      }),
      fileSystem: () => known("room on the disk", () => self.fileSystem),
      usableDirectory: () => Effect.suspend(() => self.directoryUsable ? Effect.void : broken("directory")),
      openFiles: Effect.succeed(17)
    }
  }
  return self
}

/** What a machine has done after some work on top of a reading. */
export const after = (
  reading: Reading,
  work: {
    readonly busy?: number
    readonly idle?: number
    readonly available?: number
    readonly disk?: Transfer
    readonly network?: Transfer
  }
): Reading => {
  const plus = (one: Transfer | undefined, other: Transfer | undefined): Transfer => ({
    incoming: (one?.incoming ?? 0) + (other?.incoming ?? 0),
    outgoing: (one?.outgoing ?? 0) + (other?.outgoing ?? 0)
  })
  return {
    processors: {
      busy: reading.processors.busy + (work.busy ?? 0),
      idle: reading.processors.idle + (work.idle ?? 0)
    },
    memory: { total: reading.memory.total, available: work.available ?? reading.memory.available },
    disks: new Map([...reading.disks, ["sda", plus(reading.disks.get("sda"), work.disk)]]),
    networks: new Map([...reading.networks, ["eth0", plus(reading.networks.get("eth0"), work.network)]])
  }
}

/** Runs an effect on a made-up machine. */
export const on = ({ machine }: MadeUp) => Effect.provideService(CurrentMachine, machine)

/** How many entries of the audit log wait to be written. */
export const auditBuffer = 3

/** The handlers of `system.*`, on a machine that is sampled until the scope ends. */
export const systemHandlers = Effect.flatMap(
  Layer.build(Layer.provideMerge(HealthCheck.layer, Sampler.layer)),
  (services) =>
    makeSystemHandlers.pipe(
      Effect.provide(services),
      Effect.provideService(AuditBuffer, { waiting: () => auditBuffer })
    )
)
