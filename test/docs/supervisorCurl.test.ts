import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { LocalGateway } from "kruxos/local"
import { execFile, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { makeWorkspace } from "../suites/GatewayLayer.js"
import { at } from "../support/json.js"

const root = resolve(fileURLToPath(import.meta.url), "../../..")

/** The curl commands of the document on supervisors, in order. */
const commands = [
  ...readFileSync(`${root}/docs/supervisor.md`, "utf8").matchAll(/^curl (?:[^\\\n]|\\\n)*/gm)
].map(([command]) => command)

const hasCurl = spawnSync("curl", ["--version"]).status === 0

interface Failed {
  readonly stdout: string
}

describe.skipIf(!hasCurl)("the curl commands of docs/supervisor.md", () => {
  it.scopedLive("are answered as it says", () =>
    Effect.gen(function*() {
      const { port, supervisorToken } = yield* LocalGateway.serve({
        workspace: yield* makeWorkspace,
        dataDirectory: ":memory:",
        port: 0
      })
      const outputs = yield* Effect.forEach(commands, (command) =>
        Effect.promise(() =>
          promisify(execFile)("bash", ["-c", command.replaceAll("127.0.0.1:7700", `127.0.0.1:${port}`)], {
            timeout: 10_000,
            env: { ...process.env, KRUXOS_TOKEN: Redacted.value(supervisorToken) }
            // The stream has no end but the time that curl is given.
          }).catch((cause: Failed) =>
            cause
          )
        ).pipe(Effect.map(({ stdout }) => stdout)))
      const [
        status,
        health,
        agents,
        agent,
        paused,
        resumed,
        approvals,
        decided,
        alerts,
        acknowledged,
        activity,
        audit,
        shared,
        own,
        events
      ] = outputs
      assert.strictEqual(commands.length, 15)
      const parsed = (text: string | undefined): unknown => JSON.parse(text ?? "")
      assert.strictEqual(at(parsed(status), "gateway", "policy"), "team-moderate")
      assert.strictEqual(at(parsed(health), "components", 0, "name"), "store")
      assert.strictEqual(at(parsed(agents), "total"), 1)
      assert.strictEqual(at(parsed(agent), "name"), "agent")
      assert.strictEqual(at(parsed(paused), "status"), "paused")
      assert.strictEqual(at(parsed(resumed), "status"), "active")
      assert.deepStrictEqual(parsed(approvals), { approvals: [], total: 0 })
      assert.isString(at(parsed(decided), "error"))
      assert.deepStrictEqual(parsed(alerts), { alerts: [], total: 0 })
      assert.isString(at(parsed(acknowledged), "error"))
      assert.deepStrictEqual(parsed(activity), { activity: [], total: 0 })
      assert.deepStrictEqual(parsed(audit), { entries: [] })
      assert.strictEqual(at(parsed(shared), "count"), 0)
      assert.strictEqual(at(parsed(own), "agent"), "agent")
      assert.match(events ?? "", /^retry: 1000\n/)
    }))
})
