import * as fs from "node:fs"
import type { ControlGroup } from "./cgroups/ControlGroup.js"
import { type HostProcess, hostProcesses, namespaceOf } from "./processes.js"
import type { Signal } from "./Sandbox.js"
import type { Spawned } from "./spawnChild.js"

/** A program with all its children. */
export interface Group {
  readonly membersAmong: (all: ReadonlyArray<HostProcess>) => ReadonlyArray<number>
  /** Whether there was anything to send it to. */
  readonly signal: (signal: Signal) => boolean
  /** Ends all of it at once. */
  readonly kill: () => boolean
}

/** A group that is known to run, or to be over. */
export interface RunningGroup extends Group {
  /** What is left of it ends. */
  readonly end: () => void
  /** Whether it was ended before it was over. */
  readonly isKilled: () => boolean
}

/** The same until it is told to be over: its numbers may be somebody else's then. */
export const whileItRuns = ({ kill, membersAmong, signal }: Group): RunningGroup => {
  let isOver = false
  let isKilled = false
  const killNow = () => {
    if (isOver) return false
    isKilled = true
    return kill()
  }
  return {
    isKilled: () => isKilled,
    membersAmong: (all) => isOver ? [] : membersAmong(all),
    signal: (name) => name === "SIGKILL" ? killNow() : !isOver && signal(name),
    kill: killNow,
    end: () => {
      if (!isOver) kill()
      isOver = true
    }
  }
}

const send = (pid: number, signal: Signal): boolean => {
  try {
    return process.kill(pid, signal)
  } catch {
    // It is gone already.
    return false
  }
}

const sendAll = (pids: ReadonlyArray<number>, signal: Signal): boolean =>
  pids.reduce((sent, pid) => send(pid, signal) || sent, false)

/** What is in the sandbox has a namespace of its own, and goes with its first process, whatever it did to get away. */
export const inNamespace = ({ insidePid, pid }: Spawned): Group => {
  let namespace: string | undefined
  const own = () => {
    const first = insidePid()
    if (namespace === undefined && first !== undefined) namespace = namespaceOf(first)
    return namespace === undefined ? undefined : { first, namespace }
  }
  const membersAmong: Group["membersAmong"] = (all) => {
    const found = own()
    return found === undefined
      ? []
      : all.flatMap((one) => one.namespace() === found.namespace && one.pid !== found.first ? [one.pid] : [])
  }
  const kill = () => {
    const found = own()
    const first = found?.first
    const isFirst = first !== undefined && namespaceOf(first) === found?.namespace
    return [isFirst && send(first, "SIGKILL"), send(pid, "SIGKILL")].includes(true)
  }
  return {
    membersAmong,
    kill,
    signal: (signal) => signal === "SIGKILL" ? kill() : sendAll(membersAmong(hostProcesses()), signal)
  }
}

/** The variable that tells whose child a process is that has left the group; Linux shows it, other systems do not. */
export const markVariable = "KRUXOS_PROCESS"

const marked = (mark: string): ReadonlyArray<number> => {
  const entry = `${markVariable}=${mark}`
  return hostProcesses().flatMap(({ pid }) => {
    try {
      return fs.readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(entry) ? [pid] : []
    } catch {
      return []
    }
  })
}

/**
 * What runs without a sandbox: the group of the program, and who was started by it and still says so. Where there is a control group its
 * members are all that it started.
 */
export const ofSession = ({ pid }: Spawned, mark: string, held: ControlGroup): Group => ({
  membersAmong: (all) =>
    held.memberships.length > 0 ? held.members() : all.flatMap((one) => one.session() === pid ? [one.pid] : []),
  signal: (signal) => signal === "SIGKILL" ? killSession(pid, mark) : send(-pid, signal),
  kill: () => killSession(pid, mark)
})

/** The same, with all that is in its control group. */
export const withControlGroup = (group: Group, held: ControlGroup): Group => {
  // The program goes first, at once: one that sees its children end, or can have no more, ends in its own way.
  const kill = () => {
    const isSent = group.kill()
    held.kill()
    return isSent
  }
  return { ...group, kill, signal: (signal) => signal === "SIGKILL" ? kill() : group.signal(signal) }
}

const killSession = (pid: number, mark: string): boolean => {
  const group = send(-pid, "SIGKILL")
  return sendAll(marked(mark), "SIGKILL") || group
}
