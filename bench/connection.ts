import { rmSync } from "node:fs"
import { availableParallelism, cpus } from "node:os"
import { measureCalls } from "./connection/calls.js"
import { endAll, isPinned } from "./connection/Child.js"
import { measureColdStart } from "./connection/coldStart.js"
import { compile } from "./connection/compile.js"
import { measureServers } from "./connection/localGateway.js"
import { measureLongLog } from "./connection/longLog.js"
import { measureMemory } from "./connection/memory.js"
import { measureRecovery } from "./connection/recovery.js"
import { sectionsOf } from "./connection/report.js"
import { Samples } from "./connection/Samples.js"
import { measureState } from "./connection/state.js"
import { isMet, sectionOf, targetsOf } from "./connection/targets.js"
import { measureTransactions } from "./connection/transactions.js"
import { markdownOf } from "./measurement.js"

// Parts by name; all of them if none is named.
const only = process.argv.slice(2).filter((argument) => !argument.startsWith("--"))

const isQuick = process.argv.includes("--quick")

const effort = isQuick
  ? { rounds: 7, millis: 250, processes: 3, coldStarts: 5 }
  : { rounds: 15, millis: 1000, processes: 5, coldStarts: 15 }

const samples = new Samples()

const programs = await compile()

const parts = {
  calls: () => measureCalls(programs, samples, effort),
  memory: () => measureMemory(programs, samples, effort.processes),
  "cold-start": () => measureColdStart(programs, samples, effort.coldStarts),
  recovery: () => measureRecovery(programs, samples, effort.processes),
  "local-gateway": () => measureServers(programs, samples, effort),
  state: () => measureState(programs, samples, effort),
  transactions: () => measureTransactions(programs, samples, effort.rounds),
  "long-log": () => measureLongLog(programs, samples, effort.processes)
}

try {
  for (const [part, measure] of Object.entries(parts)) {
    if (only.length > 0 && !only.includes(part)) continue
    const start = performance.now()
    // oxlint-disable-next-line no-await-in-loop -- one after another: each needs both cores
    await measure()
    process.stderr.write(`${part}: ${Math.round((performance.now() - start) / 1000)} s\n`)
  }
} finally {
  await endAll()
  rmSync(programs.folder, { recursive: true, force: true })
}

const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: availableParallelism(),
  node: process.version,
  platform: `${process.platform} ${process.arch}`
}

const targets = targetsOf(samples)

const date = new Date().toISOString().slice(0, 10)

if (process.argv.includes("--json")) {
  const measured = targets.map((target) => ({ ...target, isMet: isMet(target) }))
  const sections = sectionsOf(samples)
  process.stdout.write(
    `${JSON.stringify({ date, machine, isPinned, isQuick, targets: measured, sections, samples }, null, 2)}\n`
  )
} else {
  const where = `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.platform}, ${date}`
  const how = isPinned
    ? "Server and client each have a core to themselves."
    : "**Not pinned**: server and client share the cores, because there is no `taskset` or only one core."
  const sections = [...sectionsOf(samples), sectionOf(targets)]
  process.stdout.write(`${where}. ${how}\n\n${sections.map(markdownOf).join("\n\n")}\n`)
}
