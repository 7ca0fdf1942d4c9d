import * as fs from "node:fs"

/** A process of the host, and what of it tells which program it belongs to, looked up when it is asked for. */
export interface HostProcess {
  readonly pid: number
  readonly session: () => number
  /** The name of its namespace of processes, where that may be looked at. */
  readonly namespace: () => string | undefined
}

/** What one process has taken so far, with the children that it has waited for. */
export interface Taken {
  readonly cpuMillis: number
  readonly residentBytes: number
  readonly readBytes: number
  readonly writtenBytes: number
}

// A process may be gone at any moment.
const attempt = <A>(look: () => A): A | undefined => {
  try {
    return look()
  } catch {
    return undefined
  }
}

const read = (path: string): string | undefined => attempt(() => fs.readFileSync(path, "utf8"))

/** The name of a process's namespace of processes. */
export const namespaceOf = (pid: number): string | undefined => attempt(() => fs.readlinkSync(`/proc/${pid}/ns/pid`))

// The name of the program is in brackets, and may hold anything.
const columnsOf = (pid: number): ReadonlyArray<string> => {
  const line = read(`/proc/${pid}/stat`)
  return line === undefined ? [] : line.slice(line.lastIndexOf(")") + 2).split(" ")
}

/** When a process has begun, as the kernel counts; undefined where there is none. */
export const startOf = (pid: number): string | undefined => columnsOf(pid)[19]

/** All processes of this machine, where it has a `/proc`. */
export const hostProcesses = (): ReadonlyArray<HostProcess> =>
  (attempt(() => fs.readdirSync("/proc")) ?? []).flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    const pid = Number(name)
    return [{ pid, session: () => Number(columnsOf(pid)[3]), namespace: () => namespaceOf(pid) }]
  })

// What the kernel counts processor time in, whatever its own clock does.
const millisPerTick = 10

const field = (text: string | undefined, pattern: RegExp): number =>
  Number(text === undefined ? 0 : pattern.exec(text)?.[1] ?? 0)

/** What a process has taken; nothing where it is gone. */
export const takenBy = (pid: number): Taken => {
  const ticks = columnsOf(pid).slice(11, 15).reduce((sum, column) => sum + Number(column), 0)
  const status = read(`/proc/${pid}/status`)
  const io = read(`/proc/${pid}/io`)
  return {
    cpuMillis: ticks * millisPerTick,
    // Pages of files are shared, and go when somebody else needs the memory.
    residentBytes: (field(status, /^RssAnon:\s+(\d+) kB$/m) + field(status, /^RssShmem:\s+(\d+) kB$/m)) * 1024,
    readBytes: field(io, /^read_bytes: (\d+)$/m),
    writtenBytes: field(io, /^write_bytes: (\d+)$/m)
  }
}

/** How many processes and threads a user has. */
export const countOf = (uid: number): number =>
  hostProcesses().reduce((sum, { pid }) => {
    const status = read(`/proc/${pid}/status`)
    return field(status, /^Uid:\s+(\d+)/m) === uid ? sum + field(status, /^Threads:\s+(\d+)$/m) : sum
  }, 0)
