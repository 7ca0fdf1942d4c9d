import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { until } from "../support/deadline.js"
import { at, listAt, textAt } from "../support/json.js"
import { kruxos, SharedGateway, start, takenPort } from "./kruxos.js"

/** Runs a command against the shared gateway. */
const withKey = (args: ReadonlyArray<string>, stdin?: string) =>
  Effect.gen(function*() {
    const gateway = yield* SharedGateway
    const ended = yield* kruxos(args, { env: gateway.env, ...(stdin === undefined ? {} : { stdin }) })
    assert.notInclude(ended.stderr, gateway.env.KRUXOS_API_KEY)
    assert.notInclude(ended.stdout, gateway.env.KRUXOS_API_KEY)
    return ended
  })

const succeeds = (args: ReadonlyArray<string>, stdin?: string) =>
  Effect.map(withKey(args, stdin), ({ code, stderr, stdout }) => {
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(stderr, "")
    return stdout
  })

layer(SharedGateway.layer(), { excludeTestServices: true, timeout: "20 seconds" })("kruxos against a gateway", (it) => {
  it.effect("lists capabilities as a table or as JSON, filtered", () =>
    Effect.gen(function*() {
      const [table, filtered, json, none] = yield* Effect.all([
        succeeds(["capabilities"]),
        succeeds(["capabilities", "--category", "filesystem", "--tag", "safe", "--name-contains", "READ"]),
        succeeds(["capabilities", "--category", "agent", "--json"]),
        withKey(["capabilities", "--category", "nothing"])
      ], { concurrency: 2 })
      const [head = "", ...rows] = table.trimEnd().split("\n")
      const column = head.indexOf("TIER")
      assert.match(head, /^NAME +TIER +PURPOSE$/)
      assert.isAbove(rows.length, 10)
      for (const row of rows) assert.match(row.slice(column), /^(autonomous|notify|approval_required) +\S/)
      assert.match(filtered, /^NAME.*\nfilesystem\.read +autonomous +Reads [^\n]*\n$/)
      const names = listAt(JSON.parse(json)).map((item) => textAt(item, "name"))
      assert.include(names, "agent.whoami")
      assert.isTrue(names.every((name) => name.startsWith("agent.")))
      assert.deepStrictEqual([none.code, none.stdout], [0, ""])
      assert.include(none.stderr, "No capability")
    }), 20_000)

  it.effect("describes a capability as a page or as JSON", () =>
    Effect.gen(function*() {
      const [page, json, unknown] = yield* Effect.all([
        succeeds(["describe", "filesystem.write"]),
        succeeds(["describe", "filesystem.write", "--json"]),
        withKey(["describe", "filesystem.wrote"])
      ], { concurrency: 2 })
      const titles = page.split("\n").filter((line) => /^[A-Z ]+$/.test(line))
      assert.deepStrictEqual(
        titles,
        ["FACTS", "WHEN TO USE", "INPUTS", "OUTPUTS", "ERRORS", "SIDE EFFECTS", "PATTERNS"]
      )
      assert.match(page, /^filesystem\.write — Creates /)
      assert.match(page, /\n {2}path +FilesystemPath +required +\S/)
      assert.match(page, /\n {2}encoding +String +default "utf-8" +\S/)
      assert.match(page, /\n {2}ParentNotFound: .*\n {4}create_parents — \S/)
      const definition: unknown = JSON.parse(json)
      assert.strictEqual(textAt(definition, "permission_tier"), "notify")
      assert.isAbove(listAt(definition, "common_patterns").length, 0)
      assert.deepStrictEqual([unknown.code, unknown.stdout], [1, ""])
      assert.match(unknown.stderr, /^CapabilityNotFound: .*filesystem\.wrote.*\nTry: /)
    }), 20_000)

  it.effect("invokes with JSON from the command line or from standard input", () =>
    Effect.gen(function*() {
      const { workspace } = yield* SharedGateway
      fs.writeFileSync(join(workspace, "a.txt"), "héllo\n")
      const [given, piped, none] = yield* Effect.all([
        succeeds(["invoke", "filesystem.read", "{\"path\": \"a.txt\"}", "--timeout", "5s"]),
        succeeds(["invoke", "--timeout=5s", "filesystem.read", "-"], "{\"path\": \"a.txt\"}\n"),
        succeeds(["invoke", "agent.whoami"])
      ], { concurrency: 2 })
      assert.strictEqual(textAt(JSON.parse(given), "content"), "héllo\n")
      assert.deepStrictEqual(JSON.parse(piped), JSON.parse(given))
      assert.isTrue(none.startsWith("{\n  \""))
    }), 20_000)

  it.effect("tells on standard error how far an invocation is, when asked", () =>
    Effect.gen(function*() {
      const { workspace } = yield* SharedGateway
      for (let file = 0; file < 3; file++) fs.writeFileSync(join(workspace, `searched-${file}.txt`), "")
      const search = ["invoke", "filesystem.search", "{\"path\": \"/workspace\", \"pattern\": \"searched-*\"}"]
      const [told, failed] = yield* Effect.all([
        withKey([...search, "--progress"]),
        withKey(["invoke", "--progress", "filesystem.read", "{\"path\": \"nowhere\"}"])
      ], { concurrency: 2 })
      assert.strictEqual(told.code, 0, told.stderr)
      assert.match(told.stderr, /^(\d+\n)+$/)
      assert.strictEqual(at(JSON.parse(told.stdout), "total_matches"), 3)
      assert.deepStrictEqual([failed.code, failed.stdout], [1, ""])
      assert.match(failed.stderr, /^FileNotFound: /)
    }), 20_000)

  it.effect("prints why an invocation failed, and what can be done", () =>
    Effect.gen(function*() {
      const { workspace } = yield* SharedGateway
      fs.writeFileSync(join(workspace, "it's.txt"), "")
      const [failed, held] = yield* Effect.all([
        withKey(["invoke", "filesystem.read", "{\"path\": \"it's not.txt\"}"]),
        withKey(["invoke", "filesystem.delete", "{\"path\": \"it's.txt\"}"])
      ], { concurrency: 2 })
      assert.deepStrictEqual([failed.code, failed.stdout], [1, ""])
      const [first, ...recovery] = failed.stderr.trimEnd().split("\n")
      assert.match(first ?? "", /^FileNotFound: .*it's not\.txt/)
      assert.isAbove(recovery.length, 0)
      for (const line of recovery) assert.match(line, /^Try: \w+ — \S/)
      assert.include(
        failed.stderr,
        `kruxos invoke filesystem.search '{"path":"/workspace","pattern":"**/it'\\''s not.txt"}'`
      )

      assert.deepStrictEqual([held.code, held.stdout], [3, ""])
      assert.match(held.stderr, /^Approval: apr-\w+$/m)
      assert.isTrue(fs.existsSync(join(workspace, "it's.txt")))
    }), 20_000)

  it.effect("does not understand input that is no JSON object, and sends nothing", () =>
    Effect.gen(function*() {
      const inputs = ["{\"path\":", "[1]", "null", "3"]
      const ended = yield* Effect.all([
        ...inputs.map((input) => withKey(["invoke", "filesystem.read", input])),
        withKey(["invoke", "filesystem.read", "-"], ""),
        withKey(["invoke", "filesystem.read", "--timeout", "soon"])
      ], { concurrency: 2 })
      for (const { code, stderr, stdout } of ended) {
        assert.deepStrictEqual([code, stdout], [2, ""], stderr)
        assert.notInclude(stderr, "    at ")
      }
      assert.match(ended[0]?.stderr ?? "", /^The input is not JSON: \S/)
      assert.match(ended[1]?.stderr ?? "", /^The input is not a JSON object/)
      assert.match(ended.at(-1)?.stderr ?? "", /duration/)
    }), 30_000)

  it.effect("says what to set when the gateway does not let it in, or is not there", () =>
    Effect.gen(function*() {
      const { env } = yield* SharedGateway
      const wrongKey = "0".repeat(64)
      const list = (variables: { readonly [name: string]: string }) => kruxos(["capabilities"], { env: variables })
      const lines = yield* Effect.all({
        KRUXOS_API_KEY: list({ KRUXOS_HOST: env.KRUXOS_HOST }),
        "set KRUXOS_API_KEY": list({ ...env, KRUXOS_API_KEY: wrongKey }),
        "set KRUXOS_HOST": list({ ...env, KRUXOS_HOST: "127.0.0.1:1" }),
        "neither a host": list({ ...env, KRUXOS_HOST: "http//nowhere:x y" })
      }, { concurrency: 2 })
      for (const [text, { code, stderr, stdout }] of Object.entries(lines)) {
        assert.deepStrictEqual([code, stdout], [1, ""], stderr)
        assert.match(stderr, /^[^\n]+\n$/)
        assert.include(stderr, text)
        assert.notInclude(stderr, wrongKey)
        assert.notInclude(stderr, env.KRUXOS_API_KEY)
      }
    }), 20_000)
})

describe("kruxos", () => {
  it.live("helps", () =>
    Effect.gen(function*() {
      const [version, help, late, nested, bare, unknown] = yield* Effect.all([
        kruxos(["--version"], { uncompiled: true }),
        kruxos(["--help"]),
        kruxos(["gateway", "--workspace", "x", "--help"]),
        kruxos(["agent", "create", "-h"]),
        kruxos([]),
        kruxos(["bogus"])
      ], { concurrency: 2 })
      const { version: packaged } = JSON.parse(fs.readFileSync("package.json", "utf8"))
      assert.strictEqual(version.stdout.trim(), packaged)
      for (
        const name of ["gateway", "status", "watch", "agent create", "capabilities", "describe", "invoke", "state list"]
      ) {
        assert.match(help.stdout, new RegExp(`^ {2}${name} `, "m"))
      }
      for (const { code, stdout } of [help, late, nested, bare]) {
        assert.strictEqual(code, 0)
        assert.match(stdout, /^3 {2}.*approval/m)
        assert.notInclude(stdout, "\u001b")
        assert.notInclude(stdout, "user-defined")
      }
      assert.match(late.stdout, /^\$ kruxos gateway --workspace DIR/m)
      assert.match(nested.stdout, /^\$ kruxos agent create --name NAME/m)
      assert.deepStrictEqual([unknown.code, unknown.stdout], [2, ""])
      assert.include(unknown.stderr, "'gateway'")
    }), 20_000)

  it.scopedLive("does not end as if it had succeeded when a signal cuts it short", () =>
    Effect.gen(function*() {
      const { connections, port } = yield* takenPort
      const env = { KRUXOS_HOST: `127.0.0.1:${port}`, KRUXOS_API_KEY: "key" }
      const running = yield* start(["capabilities", "--log-level", "debug"], { env })
      yield* until("the connection", Effect.sync(() => connections() > 0))
      yield* running.kill("SIGINT")
      assert.deepInclude(yield* running.ended, { code: 130, stdout: "", stderr: "" })
    }), 20_000)
})
