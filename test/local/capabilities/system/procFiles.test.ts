import { assert, describe, it } from "@effect/vitest"
import {
  availableMemory,
  diskTransfers,
  networkTransfers
} from "../../../../src/local/capabilities/system/procFiles.js"

const line = (name: string, readSectors: number, writtenSectors: number) =>
  `   8       0 ${name} 10 20 ${readSectors} 30 40 50 ${writtenSectors} 60 0 70 80 0 0 0 0 0 0`

describe("/proc/meminfo", () => {
  it("says what is available", () => {
    assert.strictEqual(availableMemory("MemTotal:  16 kB\nMemFree:    3 kB\nMemAvailable:    8 kB\n"), 8192)
  })

  it.each(["", "MemTotal:  16 kB\nMemFree:    3 kB\n", "MemAvailable: many kB\n"])("may not say it: %j", (text) => {
    assert.isUndefined(availableMemory(text))
  })
})

describe("/proc/diskstats", () => {
  it.each([
    ["a disk and its partitions", ["sda", "sda1", "sda15"], ["sda"]],
    ["disks whose names end in a digit", ["nvme0n1", "nvme0n1p1", "nvme0n1p12", "nvme1n1"], ["nvme0n1", "nvme1n1"]],
    ["cards", ["mmcblk0", "mmcblk0p1", "mmcblk0boot0"], ["mmcblk0", "mmcblk0boot0"]],
    ["more than 26 disks", ["sdz", "sdaa", "sdaa1"], ["sdz", "sdaa"]],
    ["a partition whose disk is not listed", ["xvda1"], ["xvda1"]],
    ["what lies on other disks or in memory", ["loop0", "ram15", "zram0", "dm-3", "md127", "vda"], ["vda"]],
    ["nothing", [], []]
  ])("lists whole disks: %s", (_, names, disks) => {
    const text = names.map((name) => `${line(name, 2, 3)}\n`).join("")
    assert.deepStrictEqual([...diskTransfers(text)], disks.map((name) => [name, { incoming: 1024, outgoing: 1536 }]))
  })

  it("takes old kernels' short lines, and passes over lines that it does not understand", () => {
    const text = "8 0 sda 1 2 4 5 6 7 8 9 0 10 11\nnonsense\n8 16 sdb 1 2\n"
    assert.deepStrictEqual([...diskTransfers(text)], [["sda", { incoming: 2048, outgoing: 4096 }]])
  })
})

describe("/proc/net/dev", () => {
  const header = "Inter-|   Receive            |  Transmit\n face |bytes    packets errs |bytes    packets\n"

  it("lists every interface but the loopback", () => {
    const text = `${header}    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0
  eth0: 347654803   10655    0    0    0     0          0         0   876257    6410    0    0    0     0       0          0
eth1:5 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0
eth0:1: 8 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0
`
    assert.deepStrictEqual([...networkTransfers(text)], [
      ["eth0", { incoming: 347654803, outgoing: 876257 }],
      ["eth1", { incoming: 5, outgoing: 7 }],
      ["eth0:1", { incoming: 8, outgoing: 9 }]
    ])
  })

  it("may list nothing", () => {
    assert.strictEqual(networkTransfers(header).size, 0)
    assert.strictEqual(networkTransfers("").size, 0)
  })
})
