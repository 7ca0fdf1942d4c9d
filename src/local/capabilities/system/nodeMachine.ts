import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import { codeOf } from "../../workspace/systemFailure.js"
import { type Capacity, type Machine, MachineUnreadable, type ProcessorTime, type Transfers } from "./Machine.js"
import { availableMemory, diskTransfers, networkTransfers } from "./procFiles.js"

const unreadable = (figure: string) => (cause: unknown) => new MachineUnreadable({ figure, cause })

// Other systems have no /proc, and a sandbox may hide parts of it.
const absences: ReadonlyArray<string | undefined> = ["ENOENT", "ENOTDIR", "EACCES", "EPERM"]

const whereThere = <A>(figure: string, read: () => Promise<A>): Effect.Effect<Option.Option<A>, MachineUnreadable> =>
  Effect.tryPromise({ try: read, catch: (cause) => cause }).pipe(
    Effect.asSome,
    Effect.catchAll((cause) =>
      absences.includes(codeOf(cause)) ? Effect.succeedNone : Effect.fail(unreadable(figure)(cause))
    )
  )

const textOf = (figure: string, path: string) => whereThere(figure, () => fs.readFile(path, "latin1"))

// A file system of another machine may never answer.
const answering = (figure: string) => <A>(look: () => Promise<A>): Effect.Effect<A, MachineUnreadable> =>
  Effect.tryPromise({ try: look, catch: unreadable(figure) }).pipe(
    Effect.timeoutFail({
      duration: "5 seconds",
      onTimeout: () => unreadable(figure)(new Error("no answer within five seconds"))
    })
  )

const processors = (): ProcessorTime => {
  let busy = 0
  let idle = 0
  for (const { times } of os.cpus()) {
    busy += times.user + times.nice + times.sys + times.irq
    idle += times.idle
  }
  return { busy, idle }
}

const memory = Effect.map(textOf("memory", "/proc/meminfo"), (meminfo): Capacity => ({
  total: os.totalmem(),
  available: Option.getOrUndefined(meminfo.pipe(Option.map(availableMemory))) ?? os.freemem()
}))

const transfers = (figure: string, path: string, parse: (text: string) => Transfers) =>
  Effect.map(textOf(figure, path), Option.match({ onNone: (): Transfers => new Map(), onSome: parse }))

/** The machine that this process runs on. Transfers and open files are counted where there is a `/proc`. */
export const nodeMachine: Machine = {
  description: Effect.try({
    try: () => ({
      osVersion: `${os.type()} ${os.release()}`,
      uptimeSeconds: os.uptime(),
      processorCount: os.cpus().length || os.availableParallelism()
    }),
    catch: unreadable("description of the system")
  }),
  memory,
  reading: Effect.all({
    processors: Effect.try({ try: processors, catch: unreadable("load of the processors") }),
    memory,
    disks: transfers("transfers of the disks", "/proc/diskstats", diskTransfers),
    networks: transfers("transfers of the network", "/proc/net/dev", networkTransfers)
  }),
  fileSystem: (path) =>
    Effect.map(
      answering("room on the disk")(() => fs.statfs(path)),
      ({ bavail, blocks, bsize }) => ({ total: blocks * bsize, available: bavail * bsize })
    ),
  usableDirectory: (path) =>
    answering("directory")(async () => {
      const status = await fs.stat(path)
      if (!status.isDirectory()) throw new Error(`${path} is not a directory`)
      await fs.access(path, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
    }),
  openFiles: Effect.map(
    whereThere("number of open files", () => fs.readdir("/proc/self/fd")),
    // The one that is open for counting does not count.
    Option.match({ onNone: () => 0, onSome: ({ length }) => length - 1 })
  )
}
