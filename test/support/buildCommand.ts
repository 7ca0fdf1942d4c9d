import { build } from "esbuild"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import type { TestProject } from "vitest/node"

const root = new URL("../..", import.meta.url).pathname

declare module "vitest" {
  interface ProvidedContext {
    /** The file to start `kruxos` with. */
    readonly command: string
  }
}

/**
 * Makes the command into a few files, once before all tests: a process that compiles for itself and looks for a thousand modules needs
 * two seconds more to start. They lie in the package, where what is not in them is found.
 */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const target = join(root, "node_modules", ".cache", `kruxos-command-${process.pid}`)
  await build({
    entryPoints: [join(root, "src/cli/main.ts")],
    outdir: target,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    external: ["libsql", "@parcel/watcher"],
    banner: {
      js: "import { createRequire as makeRequire } from \"node:module\"; const require = makeRequire(import.meta.url)"
    },
    platform: "node",
    target: "node20",
    format: "esm",
    logLevel: "warning"
  })
  project.provide("command", join(target, "main.mjs"))
  return () => rm(target, { recursive: true, force: true })
}
