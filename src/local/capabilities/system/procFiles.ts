import type { Transfer, Transfers } from "./Machine.js"

const lines = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line.trim() !== "")

const byName = (entries: ReadonlyArray<readonly [string | undefined, Transfer]>): Transfers =>
  new Map(
    entries.flatMap(([name, transfer]) =>
      name !== undefined && Number.isFinite(transfer.incoming) && Number.isFinite(transfer.outgoing)
        ? [[name, transfer] as const]
        : []
    )
  )

/** The bytes that `/proc/meminfo` calls available, if it does. */
export const availableMemory = (meminfo: string): number | undefined => {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}

// The kernel counts in these, whatever the disk's own sectors are.
const sectorBytes = 512

// They lie on other disks, whose counters already have what goes through them, or in memory.
const isVirtual = (name: string) => /^(?:loop|ram|zram|dm-|md|drbd|bcache)\d/.test(name)

const isPartitionOf = (disks: Transfers) => (name: string): boolean => {
  const disk = /^(.*\d)p\d+$/.exec(name)?.[1] ?? /^(.*\D)\d+$/.exec(name)?.[1]
  return disk !== undefined && disks.has(disk)
}

/** What was read from and written to each whole disk, as `/proc/diskstats` counts it. */
export const diskTransfers = (diskstats: string): Transfers => {
  const all = byName(
    lines(diskstats).map((line) => {
      const columns = line.trim().split(/\s+/)
      return [columns[2], {
        incoming: Number(columns[5]) * sectorBytes,
        outgoing: Number(columns[9]) * sectorBytes
      }]
    })
  )
  const isPartition = isPartitionOf(all)
  return new Map([...all].filter(([name]) => !isVirtual(name) && !isPartition(name)))
}

/** What each network interface but the loopback received and sent, as `/proc/net/dev` counts it. */
export const networkTransfers = (dev: string): Transfers =>
  byName(
    lines(dev).flatMap((line) => {
      const [, name, figures] = /^\s*(\S+):(.*)$/.exec(line) ?? []
      if (name === undefined || figures === undefined || name === "lo") return []
      const columns = figures.trim().split(/\s+/)
      return [[name, { incoming: Number(columns[0]), outgoing: Number(columns[8]) }]]
    })
  )
