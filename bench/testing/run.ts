import { build } from "esbuild"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../root.js"

const here = join(root, "bench/testing/children")

// What is built is what a user has in `node_modules`, where vitest leaves it as it is.
const config = `export default {
  test: {
    include: ["*.test.js"],
    pool: "forks",
    testTimeout: 60000,
    server: { deps: { external: [/\\/dist\\//] } }
  }
}
`

/** Compiled programs that use the built package, in a folder that `end` removes. */
export const compile = async () => {
  mkdirSync(join(root, "build"), { recursive: true })
  const folder = mkdtempSync(join(root, "build/bench-"))
  const compiled = (name: string, file: string) =>
    build({
      entryPoints: [join(here, `${name}.ts`)],
      outfile: join(folder, file),
      bundle: true,
      packages: "external",
      platform: "node",
      target: "node20",
      format: "esm",
      // Else the paths of the project's tsconfig would lead from `kruxos` to its sources.
      tsconfigRaw: {},
      logLevel: "warning"
    })
  await Promise.all([
    compiled("starting", "starting.js"),
    compiled("local", "local.test.js"),
    compiled("mock", "mock.test.js"),
    compiled("shared", "shared.test.js")
  ])
  writeFileSync(join(folder, "vitest.config.js"), config)
  return { folder, end: () => rmSync(folder, { recursive: true, force: true }) }
}

const run = (folder: string, args: ReadonlyArray<string>): string =>
  execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 })

/** How long a gateway takes to start and to stop, in milliseconds. */
export interface Life {
  readonly start: number
  readonly stop: number
}

/** Starts and stops a gateway that often, in a process of its own. */
export const startAndStop = (folder: string, kind: "local" | "mock", count: number): ReadonlyArray<Life> =>
  JSON.parse(run(folder, [join(folder, "starting.js"), kind, String(count)]))

/** How long 200 tests take, in milliseconds: the process of vitest as a whole, and the tests in it. */
export interface Tests {
  readonly whole: number
  readonly tests: number
}

interface Report {
  readonly numPassedTests: number
  readonly testResults: ReadonlyArray<{ readonly startTime: number; readonly endTime: number }>
}

/** Runs a file of 200 tests with vitest. */
export const runTests = (folder: string, kind: "local" | "mock" | "shared"): Tests => {
  const vitest = join(root, "node_modules/vitest/vitest.mjs")
  const began = performance.now()
  const report: Report = JSON.parse(
    run(folder, [vitest, "run", "--root", folder, "--reporter=json", `${kind}.test.js`])
  )
  const whole = performance.now() - began
  if (report.numPassedTests !== 200) throw new Error(`${report.numPassedTests} of 200 tests have passed`)
  const tests = report.testResults.reduce((sum, { endTime, startTime }) => sum + endTime - startTime, 0)
  return { whole, tests }
}
