import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { at, listAt, textAt } from "../support/json.js"
import { kruxos, SharedGateway } from "./kruxos.js"

layer(SharedGateway.layer(), { excludeTestServices: true, timeout: "20 seconds" })("kruxos status", (it) => {
  it.effect("shows the gateway of the data, or one at a URL, and who works with it", () =>
    Effect.gen(function*() {
      const { dataDirectory, env, ready, workspace } = yield* SharedGateway
      yield* kruxos(["agent", "create", "--name", "bob", "--purpose", "tests", "--data", dataDirectory])
      yield* kruxos(["agent", "pause", "--name", "bob", "--data", dataDirectory])
      yield* kruxos(["invoke", "filesystem.delete", "{\"path\": \"a.txt\"}"], { env })
      const shown = yield* kruxos(["status", "--data", dataDirectory])
      assert.strictEqual(shown.code, 0, shown.stderr)
      const lines = [
        `Gateway: +kruxos-gateway \\S+ at ${new URL(ready.rpc).origin}`,
        "Policy: +team-moderate",
        "Health: +healthy",
        "Agents: +1 active, 1 paused, 0 revoked",
        "Approvals: +1 wait: .*",
        "COMPONENT +HEALTH +MESSAGE",
        "agent +active +\\d +1 +\\S+Z",
        "bob +paused +0 +0 +- +tests"
      ]
      for (const line of lines) assert.match(shown.stdout, new RegExp(`^${line}$`, "m"))

      const file = join(workspace, "token")
      fs.writeFileSync(file, ready.supervisor_token)
      const json = yield* kruxos(["status", "--json", "--url", new URL(ready.rpc).origin, "--token-file", file])
      assert.strictEqual(json.code, 0, json.stderr)
      const overview: unknown = JSON.parse(json.stdout)
      assert.strictEqual(textAt(overview, "status", "gateway", "policy"), "team-moderate")
      assert.strictEqual(at(overview, "status", "approvals", "pending"), 1)
      // Also what the page does not show.
      assert.isObject(at(overview, "health", "resource_usage"))
      assert.sameMembers(listAt(overview, "agents").map((agent) => textAt(agent, "policy_group")), [
        "default",
        "default"
      ])
    }), 30_000)

  it.effect("fails where no gateway runs, or it shows nothing to this token", () =>
    Effect.gen(function*() {
      const { ready, workspace } = yield* SharedGateway
      const file = join(workspace, "agents")
      fs.writeFileSync(file, ready.api_key)
      const [none, agents] = yield* Effect.all([
        kruxos(["status", "--data", workspace]),
        kruxos(["status", "--url", new URL(ready.rpc).origin, "--token-file", file])
      ], { concurrency: 2 })
      for (const { code, stderr, stdout } of [none, agents]) {
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.match(stderr, /^[^\n]+\n$/)
      }
      assert.include(none.stderr, "no gateway's data")
      assert.include(agents.stderr, "a supervisor's token is needed")
    }), 20_000)
})
