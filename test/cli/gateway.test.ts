import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import * as RawSocket from "../support/rawSocket.js"
import { folders, kruxos, startGateway, takenPort } from "./kruxos.js"

const keyFile = (dataDirectory: string) => join(dataDirectory, "keys", "agent.key")

/** That a command failed with one line on standard error and nothing else, and what that line is. */
const refusal = (args: ReadonlyArray<string>) =>
  Effect.map(kruxos(args), ({ code, stderr, stdout }) => {
    assert.strictEqual(stdout, "")
    assert.strictEqual(code, 1, stderr)
    assert.match(stderr, /^[^\n]+\n$/)
    return stderr
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
        assert.deepStrictEqual(Object.keys(JSON.parse(first.stdout())), ["ready", "url", "rpc", "agent", "api_key"])
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
        assert.notInclude(ended.stderr, first.ready.api_key)

        const second = yield* startGateway(["--log-level", "debug"], first)
        assert.strictEqual(second.ready.api_key, first.ready.api_key)
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

  it.live("does not understand what it has no option for", () =>
    Effect.gen(function*() {
      const [missing, unknown, invalid] = yield* Effect.all([
        kruxos(["gateway"]),
        kruxos(["gateway", "--workspace", ".", "--bogus"]),
        kruxos(["gateway", "--workspace", ".", "--port", "65536"])
      ], { concurrency: 2 })
      for (const { code, stdout } of [missing, unknown, invalid]) {
        assert.strictEqual(code, 2)
        assert.strictEqual(stdout, "")
      }
      assert.include(missing.stderr, "'--workspace'")
      assert.include(unknown.stderr, "'--bogus'")
      assert.include(invalid.stderr, "65536")
    }), 30_000)
})
