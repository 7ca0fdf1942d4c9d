import { configDefaults, defineConfig } from "vitest/config"
import { snippetModules } from "./test/support/snippets.js"

const seed = process.env["KRUXOS_TEST_SEED"] ?? String(Math.floor(Math.random() * 2 ** 31))
process.env["KRUXOS_TEST_SEED"] = seed
console.log(`property tests: seed ${seed} (KRUXOS_TEST_SEED=${seed} repeats this run)`)

const isFull = process.env["KRUXOS_TEST"] === "full"

// Suites that start dozens of processes or wait for seconds, and that others show the heart of.
const onlyInFull = [
  "test/capabilities/table/git.test.ts",
  "test/capabilities/table/state.test.ts",
  "test/cli/agent.test.ts",
  "test/cli/approvals.test.ts",
  "test/cli/audit.test.ts",
  "test/cli/client.test.ts",
  "test/cli/codegen.test.ts",
  "test/cli/doctor.test.ts",
  "test/cli/gateway.test.ts",
  "test/cli/otlp.test.ts",
  "test/cli/policy.test.ts",
  "test/cli/state.test.ts",
  "test/cli/status.test.ts",
  "test/cli/vault.test.ts",
  "test/cli/watch.test.ts",
  "test/cli/watch/follow.test.ts",
  "test/faults/approvals.test.ts",
  "test/faults/cycles.test.ts",
  "test/faults/diskFull.test.ts",
  "test/faults/fuzz.test.ts",
  "test/faults/kill.test.ts",
  "test/faults/killEffects.test.ts",
  "test/faults/largeFrames.test.ts",
  "test/faults/program.test.ts",
  "test/faults/proxyFaults.test.ts",
  "test/faults/proxyLate.test.ts",
  "test/faults/reading.test.ts",
  "test/faults/schedule.test.ts",
  "test/local/approvals/hold.test.ts",
  "test/local/archive/backups.test.ts",
  "test/local/audit/crash.test.ts",
  "test/local/capabilities/git/gateway.test.ts",
  "test/local/capabilities/git/hostile.test.ts",
  "test/local/capabilities/git/remote.test.ts",
  "test/local/capabilities/git/sandbox.test.ts",
  "test/local/capabilities/network/downloadKilled.test.ts",
  "test/local/capabilities/process/background.test.ts",
  "test/local/capabilities/process/run.test.ts",
  "test/local/protocol/connections.test.ts",
  "test/local/protocol/idleSessions.test.ts",
  "test/local/protocol/slowReaders.test.ts",
  "test/local/recovery/gitChecks.test.ts",
  "test/local/recovery/gitNewChecks.test.ts",
  "test/local/sandbox/bubblewrap.test.ts",
  "test/local/supervisor/events.test.ts",
  "test/local/transactions/bounds.test.ts",
  "test/local/transactions/filesCrashes.test.ts",
  "test/local/transactions/filesProperty.test.ts",
  "test/local/transactions/git.test.ts",
  "test/local/transactions/races.test.ts",
  "test/local/transactions/recovery.test.ts",
  "test/packaging/completion.test.ts",
  "test/page/alerts.test.ts",
  "test/page/approvals.test.ts",
  "test/page/hostile.test.ts",
  "test/page/load.test.ts",
  "test/page/restart.test.ts",
  "test/page/views.test.ts",
  "test/services/approvalsWaiting.test.ts",
  "test/services/httpEnd.test.ts",
  "test/services/httpKeepAlive.test.ts",
  "test/services/transactionsApproved.test.ts",
  "test/testing/recorderSuites.test.ts"
]

const source = (path: string) => new URL(path, import.meta.url).pathname

export default defineConfig({
  plugins: [snippetModules()],
  resolve: {
    alias: [
      { find: /^kruxos$/, replacement: source("./src/index.ts") },
      { find: /^kruxos\/(.*)$/, replacement: source("./src/$1/index.ts") }
    ]
  },
  test: {
    include: ["examples/testing/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["test/support/buildPage.ts", "test/support/buildCommand.ts"],
    setupFiles: ["test/support/ownTesters.ts"],
    exclude: [...configDefaults.exclude, ...(isFull ? [] : onlyInFull)],
    pool: "forks",
    // Modules are loaded once in each of the two processes: for each file anew they take as long as the tests.
    poolOptions: { forks: { maxForks: 2, isolate: false } },
    testTimeout: 20_000,
    hookTimeout: 20_000,
    env: { KRUXOS_TEST_SEED: seed, KRUXOS_TEST: isFull ? "full" : "short" }
  }
})
