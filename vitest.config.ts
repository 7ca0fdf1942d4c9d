import { defineConfig } from "vitest/config"

const seed = process.env["KRUXOS_TEST_SEED"] ?? String(Math.floor(Math.random() * 2 ** 31))
process.env["KRUXOS_TEST_SEED"] = seed
console.log(`property tests: seed ${seed} (KRUXOS_TEST_SEED=${seed} repeats this run)`)

const source = (path: string) => new URL(path, import.meta.url).pathname

export default defineConfig({
  resolve: {
    alias: [
      { find: /^kruxos$/, replacement: source("./src/index.ts") },
      { find: /^kruxos\/(.*)$/, replacement: source("./src/$1/index.ts") }
    ]
  },
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    poolOptions: { forks: { maxForks: 2 } },
    testTimeout: 20_000,
    hookTimeout: 20_000,
    env: { KRUXOS_TEST_SEED: seed, KRUXOS_TEST: process.env["KRUXOS_TEST"] ?? "short" }
  }
})
