import { markdownOf, median, rounded, type Section } from "./measurement.js"
import { compile, runTests, startAndStop } from "./testing/run.js"

const isQuick = process.argv.includes("--quick")

const effort = isQuick ? { lives: 60, processes: 3, runs: 3 } : { lives: 200, processes: 7, runs: 7 }

const kinds = ["mock", "local"] as const

const titles = { mock: "`MockGateway.layer()`", local: "`LocalGateway.layerTest()`" }

const { end, folder } = await compile()

const starting = (): Section => ({
  title: "Starting a gateway for a test",
  columns: ["gateway", "first of a process, ms", "start, ms", "stop, ms"],
  rows: kinds.map((kind) => {
    const firsts = Array.from({ length: effort.processes }, () => startAndStop(folder, kind, 1)[0]?.start ?? Number.NaN)
    // Those at the beginning are compiled while they run.
    const lives = startAndStop(folder, kind, effort.lives).slice(Math.floor(effort.lives / 3))
    return [
      titles[kind],
      rounded(median(firsts), 0),
      rounded(median(lives.map(({ start }) => start)), 1),
      rounded(median(lives.map(({ stop }) => stop)), 1)
    ]
  }),
  notes: [
    `first: median of ${effort.processes} fresh Node processes, imports of what is loaded on demand included`,
    `start, stop: median of ${effort.lives - Math.floor(effort.lives / 3)} in one process, after ${
      Math.floor(effort.lives / 3)
    } others`
  ]
})

const tests = (): Section => ({
  title: "200 tests",
  columns: ["gateway", "the tests, ms", "vitest as a whole, ms", "target, ms"],
  rows: ([...kinds, "shared"] as const).map((kind) => {
    const runs = Array.from({ length: effort.runs }, () => runTests(folder, kind))
    return [
      kind === "shared" ? `${titles.mock}, one for all of them` : `${titles[kind]}, one for each`,
      rounded(median(runs.map((run) => run.tests)), 0),
      rounded(median(runs.map((run) => run.whole)), 0),
      kind === "local" ? "" : 3000
    ]
  }),
  notes: [
    `median of ${effort.runs} runs of vitest; the whole has the start of Node, vitest and its worker, and all imports`,
    "the tests: scripted outputs and failures, approvals by scripted humans, shared state, transactions over files"
  ]
})

try {
  const sections = [starting(), tests()]
  process.stdout.write(
    process.argv.includes("--json")
      ? `${JSON.stringify({ node: process.version, isQuick, sections }, null, 2)}\n`
      : `${sections.map(markdownOf).join("\n\n")}\n`
  )
} finally {
  end()
}
