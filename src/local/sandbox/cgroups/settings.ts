import { defaultLimits, type Limits } from "../Sandbox.js"
import type { Controller } from "./places.js"

/** A file of a group and what is written to it. */
export interface Setting {
  readonly file: string
  readonly value: string
  /** Kernels without it hold no less. */
  readonly isOptional: boolean
}

const needed = (file: string, value: string): Setting => ({ file, value, isOptional: false })

const optional = (file: string, value: string): Setting => ({ file, value, isOptional: true })

const shortPeriod = 100_000
const longPeriod = 1_000_000

// The kernel gives nobody less than this in a period, nor knows a longer period.
const leastQuota = 1000

// The kernel refuses numbers that nothing could reach.
const mostCores = 1024
const mostBytes = 2 ** 60

const bandwidth = (asked: number) => {
  const cpu = Math.min(asked, mostCores)
  const period = cpu * shortPeriod < leastQuota ? longPeriod : shortPeriod
  return { period: String(period), quota: String(Math.max(leastQuota, Math.round(cpu * period))) }
}

/** What holds a program to its limits; `own` is the number of processes beside it in its group. */
export const settingsOf = (
  version: 1 | 2,
  controller: Controller,
  { cpu, memoryBytes, processes }: Limits,
  own: number
): ReadonlyArray<Setting> => {
  switch (controller) {
    case "cpu": {
      const { period, quota } = bandwidth(cpu)
      return version === 2
        ? [needed("cpu.max", `${quota} ${period}`)]
        // The group above may have less, and then holds more than is asked for.
        : [
          needed("cpu.cfs_period_us", period),
          { file: "cpu.cfs_quota_us", value: quota, isOptional: cpu > defaultLimits.cpu }
        ]
    }
    case "memory": {
      const bytes = String(Math.min(Math.ceil(memoryBytes), mostBytes))
      return version === 2
        ? [needed("memory.max", bytes), optional("memory.swap.max", "0"), optional("memory.oom.group", "1")]
        : [needed("memory.limit_in_bytes", bytes), optional("memory.memsw.limit_in_bytes", bytes)]
    }
    case "pids":
      return [needed("pids.max", String(processes + own))]
  }
}

/** Where a group tells how often a limit of it was met, and in which line. */
export const events = {
  memory: { 1: "memory.oom_control", 2: "memory.events", line: /^oom_kill (\d+)$/m },
  processes: { 1: "pids.events", 2: "pids.events", line: /^max (\d+)$/m }
} as const
