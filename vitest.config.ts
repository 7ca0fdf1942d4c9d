import { defineConfig } from "vitest/config"

const seed = process.env["KRUXOS_TEST_SEED"] ?? String(Math.floor(Math.random() * 2 ** 31))
process.env["KRUXOS_TEST_SEED"] = seed
console.log(`property tests: seed ${seed} (KRUXOS_TEST_SEED=${seed} repeats this run)`)

const source = (path: string) => new URL(path, import.meta.url).pathname

/** Those that replace a module, or what is global. */
const alone = [
  "test/local/store/missing.test.ts",
  "test/local/protocol/officialClient.test.ts",
  "test/packaging/*.test.ts",
  "test/services/browser.test.ts"
]

const shared = {
  pool: "forks",
  testTimeout: 20_000,
  hookTimeout: 20_000,
  env: { KRUXOS_TEST_SEED: seed, KRUXOS_TEST: process.env["KRUXOS_TEST"] ?? "short" }
} as const

export default defineConfig({
  resolve: {
    alias: [
      { find: /^kruxos$/, replacement: source("./src/index.ts") },
      { find: /^kruxos\/(.*)$/, replacement: source("./src/$1/index.ts") }
    ]
  },
  test: {
    // Loading Effect costs a file more than its tests do, so that most files share it.
    poolOptions: { forks: { maxForks: 2 } },
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: "shared",
          include: ["test/**/*.test.ts"],
          exclude: alone,
          poolOptions: { forks: { isolate: false } }
        }
      },
      { extends: true, test: { ...shared, name: "alone", include: alone } }
    ]
  }
})
