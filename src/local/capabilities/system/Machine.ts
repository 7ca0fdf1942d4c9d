import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

/** Time that all processors together have spent since the system started; only differences of it mean anything. */
export interface ProcessorTime {
  readonly busy: number
  readonly idle: number
}

/** Room in bytes: of the memory, or of a file system. */
export interface Capacity {
  readonly total: number
  readonly available: number
}

/** Bytes that came in (read, received) and went out (written, sent). */
export interface Transfer {
  readonly incoming: number
  readonly outgoing: number
}

/** What each device has transferred since it was there, by its name. */
export type Transfers = ReadonlyMap<string, Transfer>

/** The machine's figures at one moment. */
export interface Reading {
  readonly processors: ProcessorTime
  readonly memory: Capacity
  readonly disks: Transfers
  readonly networks: Transfers
}

/** The operating system did not give a figure. `figure` names it; paths of the host are only in the cause. */
export class MachineUnreadable extends Data.TaggedError("MachineUnreadable")<{
  readonly figure: string
  readonly cause: unknown
}> {
  override get message() {
    return `The operating system does not give the ${this.figure}`
  }
}

/** What can be read from the machine that the gateway runs on. */
export interface Machine {
  readonly description: Effect.Effect<
    { readonly osVersion: string; readonly uptimeSeconds: number; readonly processorCount: number },
    MachineUnreadable
  >
  readonly memory: Effect.Effect<Capacity, MachineUnreadable>
  /** Cheap enough for every few seconds. Where the system does not count transfers, the maps are empty. */
  readonly reading: Effect.Effect<Reading, MachineUnreadable>
  /** The file system that holds a path of the host. Gives up after five seconds. */
  readonly fileSystem: (path: string) => Effect.Effect<Capacity, MachineUnreadable>
  /** Fails unless the path of the host is a directory that the gateway may read and write. Gives up after five seconds. */
  readonly usableDirectory: (path: string) => Effect.Effect<void, MachineUnreadable>
  /** How many files, sockets and pipes the gateway has open; 0 where the system does not say. */
  readonly openFiles: Effect.Effect<number, MachineUnreadable>
}
