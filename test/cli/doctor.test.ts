import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import { delimiter, join } from "node:path"
import { inBubblewrap, withoutBubblewrap } from "../local/capabilities/process/support.js"
import { holds } from "../local/sandbox/controlGroups.js"
import { until } from "../support/deadline.js"
import { folders, kruxos, startGateway } from "./kruxos.js"

const Findings = Schema.parseJson(Schema.Struct({
  findings: Schema.Array(Schema.Struct({ name: Schema.String, verdict: Schema.String, how: Schema.String }))
}))

const examine = (args: ReadonlyArray<string>, env: { readonly [name: string]: string } = {}) =>
  Effect.gen(function*() {
    const { code, stderr, stdout } = yield* kruxos(["doctor", "--json", ...args], { env })
    const { findings } = yield* Schema.decodeUnknown(Findings)(stdout)
    const verdicts = Object.fromEntries(findings.map(({ name, verdict }) => [name, verdict]))
    return { code, stderr, verdicts, hows: Object.fromEntries(findings.map(({ how, name }) => [name, how])) }
  })

describe.skipIf(withoutBubblewrap !== undefined)(inBubblewrap("kruxos doctor"), () => {
  it.scopedLive(
    "says what holds where the sandbox works",
    () =>
      Effect.gen(function*() {
        const { dataDirectory } = yield* folders
        fs.chmodSync(dataDirectory, 0o700)
        const { code, hows, verdicts } = yield* examine(["--data", dataDirectory])
        assert.strictEqual(code, 0)
        for (
          const name of ["node", "data", "git", "sandbox", "files", "network", "cpu", "memory", "processes", "ending"]
        ) {
          assert.strictEqual(verdicts[name], "ok", name)
        }
        assert.include(hows["network"], "none")
        for (const [name, controller] of [["cpu", "cpu"], ["memory", "memory"], ["processes", "pids"]] as const) {
          assert.strictEqual(hows[name]?.includes("control group"), holds(controller), name)
        }
        const table = yield* kruxos(["doctor", "--data", dataDirectory])
        assert.match(table.stdout, /^sandbox +ok +bubblewrap$/m)
      }),
    30_000
  )
})

describe("kruxos doctor", () => {
  it.scopedLive(
    "says what does not hold without it, or where it is not installed, and what to do",
    () =>
      Effect.gen(function*() {
        const { dataDirectory, workspace } = yield* folders
        const none = yield* examine(["--data", join(dataDirectory, "later"), "--sandbox", "none"])
        assert.strictEqual(none.code, 0)
        assert.deepInclude(none.verdicts, { sandbox: "no", files: "no", network: "no", ending: "no", data: "ok" })
        const missing = yield* examine(["--data", dataDirectory], { PATH: [workspace, "/nowhere"].join(delimiter) })
        assert.deepInclude(missing.verdicts, { sandbox: "no", files: "no", git: "no" })
        assert.match(missing.hows["sandbox"] ?? "", /bubblewrap.*--sandbox none/)
      }),
    30_000
  )

  it.scopedLive("fails where others can read the data", () =>
    Effect.gen(function*() {
      const { dataDirectory } = yield* folders
      fs.chmodSync(dataDirectory, 0o755)
      const { code, stderr, verdicts } = yield* examine(["--data", dataDirectory])
      assert.strictEqual(code, 1)
      assert.strictEqual(verdicts["data"], "broken")
      assert.match(stderr, /data/)
    }), 30_000)

  it.scopedLive("a gateway says at its start what it runs programs in", () =>
    Effect.gen(function*() {
      const gateway = yield* startGateway(["--sandbox", "none"])
      assert.strictEqual(gateway.ready.sandbox, "none")
      const held = process.platform === "linux" ? ["cpu", "memory", "processes"] : ["cpu"]
      assert.deepStrictEqual(gateway.ready.enforced, held)
      yield* until("the warning", Effect.sync(() => gateway.stderr().includes("without a sandbox")))
      const wrong = yield* kruxos(["gateway", "--workspace", gateway.workspace, "--sandbox", "docker"])
      assert.strictEqual(wrong.code, 2)
    }), 30_000)
})
