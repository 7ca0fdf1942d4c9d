import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { request } from "node:http"
import { join } from "node:path"
import { until } from "../support/deadline.js"
import * as RawSocket from "../support/rawSocket.js"
import { folders, kruxos, type Ready, startGateway, takenPort } from "./kruxos.js"

const keyFile = (dataDirectory: string) => join(dataDirectory, "keys", "agent.key")

/** That a command failed with one line on standard error and nothing else, and what that line is. */
const refusal = (args: ReadonlyArray<string>) =>
  Effect.map(kruxos(args), ({ code, stderr, stdout }) => {
    assert.strictEqual(stdout, "")
    assert.strictEqual(code, 1, stderr)
    assert.match(stderr, /^[^\n]+\n$/)
    return stderr
  })

/** A request to `/rpc` whose body is not complete until `finish`, which gives the status of the answer. */
const halfRequest = ({ api_key, rpc }: Ready) =>
  Effect.async<{ readonly finish: Effect.Effect<number | undefined> }>((resume) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" })
    const headers = { authorization: `Bearer ${api_key}`, "content-length": body.length, expect: "100-continue" }
    const asked = request(rpc, { method: "POST", headers })
    const status = new Promise<number | undefined>((resolve) =>
      asked.on("response", (response) => resolve(response.resume().statusCode)).on("error", () => resolve(undefined))
    )
    // The gateway has begun to answer by then.
    asked.once("continue", () => {
      asked.write(body.slice(0, 10))
      resume(Effect.succeed({
        finish: Effect.zipRight(Effect.sync(() => asked.end(body.slice(10))), Effect.promise(() => status))
      }))
    })
    asked.flushHeaders()
  })

describe("kruxos gateway", () => {
  it.scopedLive(
    "prints one ready line, keeps its key to itself, and comes back with the same key",
    () =>
      Effect.gen(function*() {
        const first = yield* startGateway()
        assert.match(first.ready.url, /^ws:\/\/127\.0\.0\.1:\d+\/mcp$/)
        assert.strictEqual(first.ready.rpc, first.ready.url.replace("ws:", "http:").replace("/mcp", "/rpc"))
        assert.strictEqual(first.ready.agent, "agent")
        assert.match(first.ready.api_key, /^[0-9a-f]{64}$/)
        assert.strictEqual(first.ready.api, first.ready.rpc.replace("/rpc", "/api"))
        assert.match(first.ready.supervisor_token, /^krx_user_[A-Za-z0-9_-]{43}$/)
        assert.deepStrictEqual(
          Object.keys(JSON.parse(first.stdout())),
          ["ready", "url", "rpc", "agent", "api_key", "api", "supervisor_token", "page", "sandbox", "enforced"]
        )
        const page = first.ready.api.replace("/api", "/")
        assert.strictEqual(first.ready.page, `${page}#token=${first.ready.supervisor_token}`)
        assert.strictEqual(fs.statSync(keyFile(first.dataDirectory)).mode & 0o777, 0o600)

        const socket = yield* RawSocket.open(first.ready.url, { key: first.ready.api_key })
        yield* socket.call("initialize", RawSocket.initializeParams())
        yield* first.kill("SIGTERM")
        const close = yield* socket.closed
        assert.strictEqual(close.code, 1001)
        const ended = yield* first.ended
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.strictEqual(ended.stdout.split("\n").length, 2)
        assert.include(ended.stderr, `Listening on ${first.ready.url}`)
        assert.include(ended.stderr, page)
        assert.notInclude(ended.stderr, first.ready.supervisor_token)
        assert.notInclude(ended.stderr, first.ready.api_key)

        const second = yield* startGateway(["--log-level", "debug"], first)
        assert.strictEqual(second.ready.api_key, first.ready.api_key)
        assert.strictEqual(second.ready.supervisor_token, first.ready.supervisor_token)
        yield* second.kill("SIGINT")
        const stopped = yield* second.ended
        assert.strictEqual(stopped.code, 0, stopped.stderr)
        assert.strictEqual(stopped.stdout, second.stdout())
        assert.notInclude(stopped.stderr, first.ready.api_key)
        assert.notInclude(stopped.stderr, "left open")
      }),
    30_000
  )

  it.scopedLive("takes its key from the command line or from a file, and knows it again", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const key = "0123456789abcdef".repeat(4)
      const file = join(used.dataDirectory, "key")
      fs.writeFileSync(file, `${key}\n`)
      const first = yield* startGateway(["--api-key-file", file, "--agent", "reader"], used)
      assert.strictEqual(first.ready.agent, "reader")
      assert.strictEqual(first.ready.api_key, key)
      yield* first.kill("SIGTERM")
      assert.notInclude((yield* first.ended).stderr, key)
      const where = ["--workspace", used.workspace, "--data", used.dataDirectory, "--port", "0", "--agent", "reader"]
      const [second, unknown, other, both] = yield* Effect.all([
        startGateway(["--api-key", key, "--agent", "reader"], used),
        refusal(["gateway", ...where]),
        refusal(["gateway", ...where, "--api-key", "f".repeat(64)]),
        kruxos(["gateway", ...where, "--api-key", key, "--api-key-file", file])
      ], { concurrency: 2 })
      assert.strictEqual(second.ready.api_key, key)
      assert.include(unknown, "--api-key")
      assert.include(other, "not that of agent reader")
      assert.notInclude(other, "f".repeat(64))
      assert.strictEqual(both.code, 2)
      assert.include(both.stderr, "not both")
      assert.notInclude(both.stderr, key)
    }), 30_000)

  it.scopedLive("says in one line why it cannot start, and what to do", () =>
    Effect.gen(function*() {
      const { dataDirectory, workspace } = yield* folders
      const { port } = yield* takenPort
      const damaged = join(dataDirectory, "damaged")
      fs.mkdirSync(damaged)
      fs.writeFileSync(join(damaged, "gateway.db"), "not a database ".repeat(500))
      const file = join(dataDirectory, "file")
      fs.writeFileSync(file, "")
      const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, line: RegExp]> = [
        [["--workspace", workspace, "--data", ":memory:", "--port", String(port)], /^Port \d+ of .* in use.*--port/],
        [
          ["--workspace", join(workspace, "none"), "--data", ":memory:", "--port", "0"],
          /no directory at .*--workspace/
        ],
        [["--workspace", workspace, "--data", damaged, "--port", "0"], /not a database.*--data/],
        [["--workspace", workspace, "--data", file, "--port", "0"], /Nothing can be kept in .*ENOTDIR.*--data/],
        [["--workspace", workspace, "--data", workspace, "--port", "0"], /would be part of the workspace/],
        [["--workspace", workspace, "--data", ":memory:", "--port", "0", "--agent", "a/b"], /no name for an agent/],
        [["--workspace", workspace, "--data", ":memory:", "--port", "0", "--api-key", "abc"], /64 hexadecimal/],
        [["--workspace", workspace, "--data", ":memory:", "--api-key-file", join(file, "x")], /cannot be read from/]
      ]
      yield* Effect.forEach(
        cases,
        ([args, line]) => Effect.map(refusal(["gateway", ...args]), (printed) => assert.match(printed, line)),
        { concurrency: 2, discard: true }
      )
    }), 30_000)

  it.scopedLive(
    "lets what runs finish when it is stopped, unless it is stopped twice or given no time",
    () =>
      Effect.gen(function*() {
        const gateways = yield* Effect.all([
          startGateway(["--grace", "10"]),
          startGateway(["--grace", "10"]),
          startGateway(["--grace", "0"])
        ], { concurrency: 2 })
        const requests = yield* Effect.forEach(gateways, ({ ready }) => halfRequest(ready))
        const [patient, twice, hasty] = gateways
        for (const { kill } of gateways) yield* kill("SIGTERM")
        const ended = yield* hasty.ended
        assert.strictEqual(ended.code, 0, ended.stderr)
        for (const { stderr } of [patient, twice]) {
          yield* until("the draining", Effect.sync(() => stderr().includes("Draining: 1 requests still run")))
        }
        yield* twice.kill("SIGTERM")
        assert.strictEqual((yield* twice.ended).signal, "SIGTERM")
        assert.strictEqual(yield* requests[0]?.finish ?? Effect.succeed(0), 503)
        const last = yield* patient.ended
        assert.strictEqual(last.code, 0, last.stderr)
        assert.include(last.stderr, "Drained: all requests have ended")
      }),
    30_000
  )

  it.live("does not understand what it has no option for", () =>
    Effect.gen(function*() {
      const [missing, unknown, invalid, endless] = yield* Effect.all([
        kruxos(["gateway"]),
        kruxos(["gateway", "--workspace", ".", "--bogus"]),
        kruxos(["gateway", "--workspace", ".", "--port", "65536"]),
        kruxos(["gateway", "--workspace", ".", "--grace", "86401"])
      ], { concurrency: 2 })
      for (const { code, stdout } of [missing, unknown, invalid, endless]) {
        assert.strictEqual(code, 2)
        assert.strictEqual(stdout, "")
      }
      assert.include(missing.stderr, "'--workspace'")
      assert.include(unknown.stderr, "'--bogus'")
      assert.include(invalid.stderr, "65536")
      assert.include(endless.stderr, "--grace takes 0 to 86400, not 86401")
    }), 30_000)
})
