import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import { join } from "node:path"
import * as Store from "../../src/local/store/Store.js"
import { until } from "../support/deadline.js"
import { at, listAt, textAt } from "../support/json.js"
import { folders, type GatewayProcess, kruxos, SharedGateway, startGateway } from "./kruxos.js"

const audit = (dataDirectory: string, ...args: ReadonlyArray<string>) =>
  kruxos(["audit", ...args, "--data", dataDirectory])

const succeeded = (dataDirectory: string, ...args: ReadonlyArray<string>) =>
  Effect.map(audit(dataDirectory, ...args), ({ code, stderr, stdout }) => {
    assert.strictEqual(code, 0, stderr)
    return stdout
  })

const invoke = ({ env }: GatewayProcess, capability: string, input: object = {}) =>
  kruxos(["invoke", capability, JSON.stringify(input)], { env })

const listed = (dataDirectory: string, ...args: ReadonlyArray<string>) =>
  Effect.map(succeeded(dataDirectory, "list", "--json", ...args), (stdout) => listAt(JSON.parse(stdout)))

/** What somebody does who has the file. */
const tamper = (dataDirectory: string, ...statements: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const triggers = yield* sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'trigger'`
    for (const { name } of triggers) yield* sql.unsafe(`DROP TRIGGER ${name}`)
    for (const statement of statements) yield* sql.unsafe(statement)
  }).pipe(Effect.provide(Layer.orDie(Store.layer({ filename: join(dataDirectory, "gateway.db") }))), Effect.orDie)

layer(SharedGateway.layer(), { excludeTestServices: true, timeout: "20 seconds" })(
  "kruxos audit, beside a gateway that runs",
  (it) => {
    it.effect("lists what agents did, the newest last, and finds the log whole", () =>
      Effect.gen(function*() {
        const gateway = yield* SharedGateway
        const { dataDirectory } = gateway
        yield* invoke(gateway, "system.time")
        yield* invoke(gateway, "filesystem.write", { path: "a.txt", content: "a" })
        yield* invoke(gateway, "filesystem.read", { path: "b.txt" })
        yield* invoke(gateway, "filesystem.delete", { path: "a.txt" })
        yield* until("the entries", Effect.map(listed(dataDirectory), (found) => found.length === 5), "15 seconds")

        const table = (yield* succeeded(dataDirectory, "list")).trimEnd().split("\n")
        assert.match(table[0] ?? "", /^NUMBER +TIME +KIND +AGENT +CAPABILITY +RULE +APPROVAL +DETAILS$/)
        assert.lengthOf(table, 6)
        assert.match(table[1] ?? "", /^1 +\S+Z +invocation +agent +system\.time +\S+ +- +\{.*"outcome":"success"/)
        assert.match(table[5] ?? "", /^5 +\S+Z +approval_requested +agent +filesystem\.delete +\S+ +apr-\w+ +\{/)

        const names = (...args: ReadonlyArray<string>) =>
          Effect.map(listed(dataDirectory, ...args), (found) => found.map((entry) => textAt(entry, "capability")))
        const all = ["system.time", "filesystem.write", "filesystem.write", "filesystem.read", "filesystem.delete"]
        const found = yield* Effect.all({
          category: names("--capability", "filesystem.*"),
          within: names("--capability", "*tem.r*"),
          one: names("--capability", "filesystem_read"),
          newest: names("--limit", "2"),
          nobody: names("--agent", "somebody"),
          somebody: names("--agent", "agent", "--since", "1h"),
          future: names("--since", "2999-01-01")
        }, { concurrency: 2 })
        assert.deepStrictEqual(found, {
          category: all.slice(1),
          within: ["filesystem.read"],
          one: [],
          newest: all.slice(3),
          nobody: [],
          somebody: all,
          future: []
        })
        const [entry] = yield* listed(dataDirectory, "--limit", "1")
        assert.deepStrictEqual(at(entry, "details", "arguments"), { path: "a.txt" })

        const verified: unknown = JSON.parse(yield* succeeded(dataDirectory, "verify", "--json"))
        assert.containSubset(verified, { ok: true, entries: 5, gaps: 0, damage: null })
        const anchor = textAt(verified, "anchor")
        assert.match(anchor, /^5:[0-9a-f]{64}$/)
        yield* invoke(gateway, "system.time")
        const text = yield* succeeded(dataDirectory, "verify", "--anchor", anchor)
        assert.match(text, /^The audit log is whole: [56] entries\nAnchor, .*: [56]:[0-9a-f]{64}\n$/)
        const file = join(dataDirectory, "audit.head")
        yield* until("the file with the end", Effect.sync(() => fs.readFileSync(file, "utf8").startsWith("6:")))
        assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
      }), 60_000)
  }
)

describe("kruxos audit", () => {
  it.scopedLive("ends with 1 and names the first entry that is wrong", () =>
    Effect.gen(function*() {
      const gateway = yield* startGateway()
      const { dataDirectory } = gateway
      for (let count = 0; count < 3; count++) yield* invoke(gateway, "system.time")
      yield* gateway.kill("SIGTERM")
      yield* gateway.ended
      const anchor = textAt(JSON.parse(yield* succeeded(dataDirectory, "verify", "--json")), "anchor")

      yield* tamper(dataDirectory, "DELETE FROM audit_log WHERE sequence = 3")
      const cut = yield* audit(dataDirectory, "verify")
      assert.strictEqual(cut.code, 1)
      assert.strictEqual(cut.stdout, "")
      assert.strictEqual(cut.stderr, "The audit log is damaged at entry 3 (missing): entry 3 is missing\n")
      // Without what the data directory knows of it, another anchor still finds it.
      fs.rmSync(join(dataDirectory, "audit.head"))
      const unknown = yield* audit(dataDirectory, "verify")
      assert.strictEqual(unknown.code, 0)
      assert.match(unknown.stderr, /does not say where the log ended/)
      assert.strictEqual((yield* audit(dataDirectory, "verify", "--anchor", anchor)).code, 1)

      yield* tamper(
        dataDirectory,
        "UPDATE audit_log SET agent = 'x' || char(27) || '[31mred' || char(155) WHERE sequence = 2"
      )
      const changed = yield* audit(dataDirectory, "verify", "--json")
      assert.strictEqual(changed.code, 1)
      assert.match(changed.stderr, /^The audit log is damaged at entry 2 \(changed\): [^\n]+\n$/)
      assert.containSubset(JSON.parse(changed.stdout), { ok: false, entries: 1, damage: { sequence: 2 } })

      const hostile = yield* Effect.all([
        succeeded(dataDirectory, "list"),
        succeeded(dataDirectory, "list", "--json")
      ])
      for (const text of hostile) {
        assert.include(text, "[31mred")
        assert.isFalse(text.includes("\u001B") || text.includes("\u009B"))
      }
      assert.strictEqual(textAt(JSON.parse(hostile[1]), 1, "agent"), "x\u001B[31mred\u009B")
    }), 60_000)

  it.scopedLive("says in one line what is wrong with its arguments, and with the data", () =>
    Effect.gen(function*() {
      const { dataDirectory } = yield* folders
      const missing = yield* audit(join(dataDirectory, "missing"), "verify")
      assert.strictEqual(missing.code, 1)
      assert.match(missing.stderr, /^There is no gateway's data in [^\n]+\n$/)
      for (const action of ["create", "pause", "resume", "rotate", "revoke"]) {
        yield* kruxos(["agent", action, "--name", "a", "--data", dataDirectory])
      }
      assert.deepStrictEqual(
        (yield* listed(dataDirectory)).map((entry) => [textAt(entry, "kind"), textAt(entry, "agent")]),
        ["created", "paused", "resumed", "key_rotated", "revoked"].map((event) => [`agent_${event}`, "a"])
      )
      const wrong = yield* Effect.all({
        anchor: audit(dataDirectory, "verify", "--anchor", "1:x"),
        since: audit(dataDirectory, "list", "--since", "yesterday"),
        limit: audit(dataDirectory, "list", "--limit", "0")
      }, { concurrency: 2 })
      assert.strictEqual(wrong.anchor.code, 1)
      assert.match(wrong.anchor.stderr, /^1:x is no anchor[^\n]+\n$/)
      assert.deepStrictEqual([wrong.since.code, wrong.limit.code], [2, 2])
    }), 40_000)
})
