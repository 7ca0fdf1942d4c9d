import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const root = fileURLToPath(new URL("..", import.meta.url))

// It starts four processes one after another.
const onlyInFull = new Set(process.env["KRUXOS_TEST"] === "full" ? [] : ["research-agent.ts"])

const examples = readdirSync(`${root}/examples`).filter((name) => name.endsWith(".ts") && !onlyInFull.has(name))

describe("every example runs, and finds its own outcome right", () => {
  it.each(examples)("%s", async (name) => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", `examples/${name}`], {
      cwd: root,
      timeout: 60_000
    })
    assert.include(stdout, "All as expected.")
  }, 60_000)
})
