import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { until } from "../support/deadline.js"
import { at, listAt, textAt } from "../support/json.js"
import { rpc } from "../support/rawHttp.js"
import { folders, type GatewayProcess, kruxos, SharedGateway, start, startGateway } from "./kruxos.js"

const invoke = ({ ready }: GatewayProcess, capability: string, given: object) =>
  Effect.map(
    rpc({ rpc: ready.rpc, key: ready.api_key }, "capabilities.invoke", { capability, arguments: given }),
    (answer) => textAt(answer, "result", "error", "context", "approval_id")
  )

const write = (gateway: GatewayProcess, path: string, content: string) =>
  invoke(gateway, "filesystem.write", { path, content })

/** Runs `kruxos approvals` on a gateway's data; it has to succeed. */
const approvals = ({ dataDirectory }: { readonly dataDirectory: string }, ...args: ReadonlyArray<string>) =>
  Effect.map(kruxos(["approvals", ...args, "--data", dataDirectory]), ({ code, stderr, stdout }) => {
    assert.strictEqual(code, 0, stderr)
    return { stdout, stderr }
  })

const refused = (...args: ReadonlyArray<string>) =>
  Effect.map(kruxos(["approvals", ...args]), ({ code, stderr, stdout }) => {
    assert.strictEqual(stdout, "")
    assert.match(stderr, /^[^\n]+\n$/)
    return { code, stderr }
  })

// Every kind that drives a terminal or makes a text look like another.
const hostile = "\u001b[2J\u001b]0;title\u0007\u009b31m\r\nid  approved\u202egnp.exe\u2066\u2028\u007f"

const isSafe = (text: string) => [...text].every((character) => /[\x20-\x7e\n…]/.test(character))

layer(SharedGateway.layer(["--policy", "enterprise-restrictive"]), {
  excludeTestServices: true,
  timeout: "20 seconds"
})("kruxos approvals", (it) => {
  it.effect("lists, shows, approves and rejects what waits at the gateway of the data", () =>
    Effect.gen(function*() {
      const gateway = yield* SharedGateway
      const nothing = yield* approvals(gateway, "list")
      assert.deepStrictEqual(nothing, { stdout: "", stderr: "Nothing waits for approval\n" })
      const first = yield* write(gateway, "/workspace/a.txt", "first")
      const second = yield* write(gateway, "/workspace/b.txt", "second")
      const [heading, ...rows] = (yield* approvals(gateway, "list")).stdout.trimEnd().split("\n")
      assert.match(heading ?? "", /^ID +STATUS +AGENT +CAPABILITY +ASKED +EXPIRES +ARGUMENTS$/)
      assert.lengthOf(rows, 2)
      assert.match(
        rows.join("\n"),
        new RegExp(`^${first} +pending +agent +filesystem\\.write .*"content":"first"`, "m")
      )

      const page = (yield* approvals(gateway, "show", first)).stdout
      for (const line of [`Request: +${first}`, "Status: +pending", "Agent: +agent", "SHA-256: +[0-9a-f]{64}"]) {
        assert.match(page, new RegExp(`^${line}$`, "m"))
      }
      assert.include(page, "\"content\": \"first\"")

      assert.include((yield* approvals(gateway, "approve", first)).stdout, "filesystem.write of agent is approved")
      yield* until("the file", Effect.sync(() => fs.existsSync(join(gateway.workspace, "a.txt"))))
      assert.strictEqual(fs.readFileSync(join(gateway.workspace, "a.txt"), "utf8"), "first")
      const rejected = yield* approvals(gateway, "reject", second, "--reason", "not now", "--json")
      assert.deepInclude(JSON.parse(rejected.stdout), { status: "rejected", decision_reason: "not now" })
      assert.match(
        (yield* approvals(gateway, "show", second)).stdout,
        /^Status: +rejected by supervisor at \S+: not now$/m
      )

      const late = yield* refused("approve", second, "--data", gateway.dataDirectory)
      assert.deepStrictEqual(late, {
        code: 1,
        stderr: `The request for approval ${second} can no longer be decided: it is rejected\n`
      })
      for (const args of [["show"], ["approve"], ["reject", "--reason", "x"]]) {
        const missing = yield* refused(...args, "apr-none", "--data", gateway.dataDirectory)
        assert.deepStrictEqual(missing, { code: 1, stderr: "There is no request for approval apr-none\n" })
      }
      const all = JSON.parse((yield* approvals(gateway, "list", "--status", "all", "--json")).stdout)
      assert.sameMembers(listAt(all).map((item) => at(item, "status")), ["approved", "rejected"])
    }), 40_000)

  it.effect("finds a gateway by its URL, with the token from a file", () =>
    Effect.gen(function*() {
      const gateway = yield* SharedGateway
      const id = yield* write(gateway, "/workspace/c.txt", "third")
      const url = new URL(gateway.ready.rpc).origin
      const file = (name: string, token: string) => {
        const path = join(gateway.workspace, name)
        fs.writeFileSync(path, `${token}\n`)
        return path
      }
      const token = file("token", gateway.ready.supervisor_token)
      const target = ["--url", url, "--token-file", token]
      const listed = yield* kruxos(["approvals", "list", "--json", ...target])
      assert.include(listAt(JSON.parse(listed.stdout)).map((item) => at(item, "id")), id)
      const onApi = yield* kruxos(["approvals", "reject", id, "--url", `${url}/api/`, "--token-file", token])
      assert.strictEqual(onApi.code, 0, onApi.stderr)

      const failures = yield* Effect.all({
        agents: refused("list", "--url", url, "--token-file", file("agents", gateway.ready.api_key)),
        wrong: refused("list", "--url", url, "--token-file", file("wrong", "krx_user_wrong")),
        nobody: refused("list", "--url", "http://127.0.0.1:1", "--token-file", token),
        noFile: refused("list", "--url", url, "--token-file", join(gateway.workspace, "none")),
        half: refused("list", "--url", url),
        other: refused("list", "--token-file", token),
        noUrl: refused("list", "--url", "localhost:7700", "--token-file", token)
      }, { concurrency: 2 })
      assert.include(failures.agents.stderr, "agents decide nothing")
      assert.include(failures.wrong.stderr, "supervisor.token")
      assert.match(failures.nobody.stderr, /http:\/\/127\.0\.0\.1:1\/api does not answer/)
      assert.include(failures.noFile.stderr, "The token cannot be read from")
      assert.deepStrictEqual(
        Object.values(failures).map(({ code }) => code),
        [1, 1, 1, 1, 2, 2, 2]
      )
      for (const { stderr } of Object.values(failures)) assert.notInclude(stderr, gateway.ready.supervisor_token)
    }), 40_000)

  it.effect("shows hostile arguments as text, and cuts long ones", () =>
    Effect.gen(function*() {
      const gateway = yield* SharedGateway
      const id = yield* write(gateway, "/workspace/d.txt", hostile + "x".repeat(1_000_000))
      const short = yield* write(gateway, "/workspace/e.txt", hostile)
      const listed = (yield* approvals(gateway, "list")).stdout
      assert.isTrue(isSafe(listed), JSON.stringify(listed))
      assert.match(listed, new RegExp(`^${id} .*\\(\\d{7} characters: .*show. has them\\)$`, "m"))
      assert.include(listed, "\\u202egnp.exe")
      assert.isBelow(listed.length, 2000)
      for (const shown of [id, short]) {
        const page = (yield* approvals(gateway, "show", shown)).stdout
        assert.isTrue(isSafe(page), JSON.stringify(page))
        assert.include(page, "[2J")
        assert.notMatch(page, /^id  approved/m)
        assert.isBelow(page.length, 2000)
      }
      assert.match((yield* approvals(gateway, "show", id)).stdout, /… \(9996\d\d more characters\)/)
      const json = (yield* approvals(gateway, "show", id, "--json")).stdout
      assert.isTrue(isSafe(json))
      assert.strictEqual(textAt(JSON.parse(json), "arguments", "content"), hostile + "x".repeat(1_000_000))
      assert.isTrue(isSafe((yield* approvals(gateway, "reject", id, "--reason", hostile, "--json")).stdout))
      assert.isTrue(isSafe((yield* approvals(gateway, "show", id)).stdout))
    }), 40_000)
})

describe("kruxos approvals", () => {
  it.scopedLive(
    "prints what is asked and decided as it comes, also over a restart of the gateway",
    () =>
      Effect.gen(function*() {
        const used = yield* folders
        const first = yield* startGateway([], used)
        const early = yield* invoke(first, "filesystem.delete", { path: "/workspace/early" })
        const watch = (...args: ReadonlyArray<string>) =>
          start(["approvals", "watch", "--data", used.dataDirectory, ...args])
        const [watching, json] = [yield* watch(), yield* watch("--json")]
        const printed = (text: string) =>
          until(text, Effect.sync(() => watching.stdout().includes(text) && watching.stdout().endsWith("\n")))
        yield* printed(`${early} agent wants filesystem.delete {"path":"/workspace/early"}`)
        const late = yield* invoke(first, "filesystem.delete", { path: "/workspace/late" })
        yield* printed(`${late} agent wants filesystem.delete`)
        yield* approvals(used, "reject", late, "--reason", "no")
        yield* printed(`${late} filesystem.delete of agent: rejected by supervisor at`)

        yield* first.kill("SIGKILL")
        yield* first.ended
        const stale = yield* refused("list", "--data", used.dataDirectory)
        assert.include(stale.stderr, "No gateway serves the data in")
        yield* until("the loss", Effect.sync(() => watching.stderr() !== ""))
        const second = yield* startGateway([], used)
        assert.notStrictEqual(second.ready.api, first.ready.api)
        yield* approvals(used, "approve", early)
        yield* printed(`${early} filesystem.delete of agent: approved by supervisor at`)
        assert.include(watching.stderr(), "The gateway answers again")

        // The two look at moments of their own.
        yield* until("the other to see it", Effect.sync(() => json.stdout().includes("\"approved\"")))
        for (const running of [watching, json]) {
          yield* running.kill("SIGINT")
          assert.strictEqual((yield* running.ended).code, 0)
        }
        const events = json.stdout().trimEnd().split("\n").map((line): unknown => JSON.parse(line))
        assert.includeDeepMembers(
          events.map((event) => [at(event, "id"), at(event, "status")]),
          [[early, "pending"], [late, "pending"], [late, "rejected"], [early, "approved"]]
        )

        yield* second.kill("SIGTERM")
        yield* second.ended
        assert.isFalse(fs.existsSync(join(used.dataDirectory, "gateway.json")))
        const ended = yield* refused("watch", "--data", used.dataDirectory)
        assert.include(ended.stderr, "No gateway serves the data in")
        const none = yield* refused("list", "--data", join(used.dataDirectory, "none"))
        assert.include(none.stderr, "no gateway's data")
      }),
    60_000
  )
})
