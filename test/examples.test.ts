import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const root = fileURLToPath(new URL("..", import.meta.url))

// They start processes one after another, four of Node and dozens of git.
const onlyInFull = new Set(process.env["KRUXOS_TEST"] === "full" ? [] : ["research-agent.ts", "devops-agent.ts"])

const examples = [...readdirSync(`${root}/examples`), "testing/withoutVitest.ts"]
  .filter((name) => name.endsWith(".ts") && !onlyInFull.has(name))

describe("every example runs, and finds its own outcome right", () => {
  it.each(examples)("%s", async (name) => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", `examples/${name}`], {
      cwd: root,
      timeout: 110_000
    })
    assert.include(stdout, "All as expected.")
  }, 120_000)
})
