import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { until } from "../support/deadline.js"
import { at, listAt, textAt } from "../support/json.js"
import * as RawSocket from "../support/rawSocket.js"
import { folders, type GatewayProcess, kruxos, SharedGateway } from "./kruxos.js"

/** The status that `/rpc` answers a key with. */
const statusOf = ({ ready }: GatewayProcess, key: string) =>
  Effect.promise(async () => {
    const response = await fetch(ready.rpc, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "capabilities.list", params: {} }),
      signal: AbortSignal.timeout(5000)
    })
    await response.arrayBuffer()
    return response.status
  })

const keyIn = (stdout: string) => textAt(JSON.parse(stdout), "api_key")

/** Runs `kruxos agent` on the gateway's data; it has to succeed. */
const agent = ({ dataDirectory }: GatewayProcess, ...args: ReadonlyArray<string>) =>
  Effect.map(kruxos(["agent", ...args, "--data", dataDirectory]), ({ code, stderr, stdout }) => {
    assert.strictEqual(code, 0, stderr)
    return { stdout, stderr }
  })

const refused = (...args: ReadonlyArray<string>) =>
  Effect.map(kruxos(["agent", ...args]), ({ code, stderr, stdout }) => {
    assert.strictEqual(code, 1, stderr)
    assert.strictEqual(stdout, "")
    assert.match(stderr, /^[^\n]+\n$/)
    return stderr
  })

layer(SharedGateway.layer(), { excludeTestServices: true, timeout: "20 seconds" })(
  "kruxos agent, beside a gateway that runs",
  (it) => {
    it.effect("creates, rotates and revokes, and the gateway sees it", () =>
      Effect.gen(function*() {
        const gateway = yield* SharedGateway
        const created = yield* agent(gateway, "create", "--name", "bob", "--purpose", "builds", "--json")
        assert.deepStrictEqual(Object.keys(JSON.parse(created.stdout)), ["agent", "api_key"])
        assert.strictEqual(textAt(JSON.parse(created.stdout), "agent"), "bob")
        const first = keyIn(created.stdout)
        assert.notInclude(created.stderr, first)
        assert.strictEqual(yield* statusOf(gateway, first), 200)

        const rotated = yield* agent(gateway, "rotate", "--name", "bob", "--json")
        const second = keyIn(rotated.stdout)
        assert.notStrictEqual(second, first)
        assert.strictEqual(yield* statusOf(gateway, first), 401)
        assert.strictEqual(yield* statusOf(gateway, second), 200)

        const socket = yield* Effect.orDie(RawSocket.open(gateway.ready.url, { key: second }))
        yield* socket.call("initialize", RawSocket.initializeParams())
        assert.isDefined(at(yield* socket.call("tools/list"), "result"))
        const revoked = yield* agent(gateway, "revoke", "--name", "bob")
        assert.include(revoked.stdout, "bob is revoked")
        yield* until("the key to be refused", Effect.map(statusOf(gateway, second), (status) => status === 401))
        // The session may have been ended by now; if not, its next request ends it.
        yield* socket.send({ jsonrpc: "2.0", id: 99, method: "tools/list" })
        assert.strictEqual((yield* socket.closed).code, 1008)

        const listed = JSON.parse((yield* agent(gateway, "list", "--json")).stdout)
        const found = listAt(listed).find((item) => at(item, "name") === "bob")
        assert.include(found, { status: "revoked", purpose: "builds", policy_group: "default", workspace: null })
        const table = (yield* agent(gateway, "list")).stdout.split("\n")
        assert.match(table[0] ?? "", /^NAME +STATUS +POLICY GROUP +WORKSPACE +CREATED +PURPOSE$/)
        assert.isDefined(table.find((line) => /^bob +revoked +default +- +\S+ +builds$/.test(line)))
      }).pipe(Effect.scoped), 40_000)

    it.effect("replaces the copy that the gateway keeps of its own key", () =>
      Effect.gen(function*() {
        const gateway = yield* SharedGateway
        const file = join(gateway.dataDirectory, "keys", "agent.key")
        const { stderr, stdout } = yield* agent(gateway, "rotate", "--name", "agent")
        const key = fs.readFileSync(file, "utf8").trim()
        assert.notStrictEqual(key, gateway.ready.api_key)
        assert.include(stdout, key)
        assert.notInclude(stderr, key)
        assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
        assert.strictEqual(yield* statusOf(gateway, key), 200)
      }), 20_000)

    it.effect("gives an agent a directory of its own, by its absolute path", () =>
      Effect.gen(function*() {
        const gateway = yield* SharedGateway
        yield* agent(gateway, "create", "--name", "own", "--workspace", "test/cli")
        const listed = JSON.parse((yield* agent(gateway, "list", "--json")).stdout)
        const found = listAt(listed).find((item) => at(item, "name") === "own")
        assert.strictEqual(textAt(found, "workspace"), join(process.cwd(), "test/cli"))
      }), 20_000)
  }
)

describe("kruxos agent", () => {
  it.scopedLive("says in one line what is wrong, and makes no data where there is none", () =>
    Effect.gen(function*() {
      const { dataDirectory } = yield* folders
      const missing = join(dataDirectory, "missing")
      const made = yield* kruxos(["agent", "create", "--name", "bob", "--data", dataDirectory])
      assert.strictEqual(made.code, 0, made.stderr)
      assert.match(made.stdout, /^Agent: +bob\nAPI key: [0-9a-f]{64}\n$/)
      const create = (...args: ReadonlyArray<string>) => refused("create", "--data", dataDirectory, ...args)
      const lines = yield* Effect.all({
        nobody: refused("rotate", "--name", "nobody", "--data", dataDirectory),
        noData: refused("list", "--data", missing),
        twice: create("--name", "BOB"),
        badName: create("--name", "../bob"),
        noWorkspace: create("--name", "eve", "--workspace", missing),
        exposed: create("--name", "eve", "--workspace", dataDirectory)
      }, { concurrency: 2 })
      assert.include(lines.nobody, "no agent named nobody")
      assert.include(lines.noData, `no gateway's data in ${missing}`)
      assert.include(lines.twice, "an agent named bob already")
      assert.include(lines.badName, "no name for an agent")
      assert.include(lines.noWorkspace, `no directory at ${missing}`)
      assert.include(lines.exposed, "would be part of the workspace")
      assert.isFalse(fs.existsSync(missing))
    }), 30_000)
})
