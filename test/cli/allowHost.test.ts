import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { serveHttp } from "../local/egress/servers.js"
import { folders, kruxos, startGateway } from "./kruxos.js"

it.scopedLive(
  "kruxos gateway --allow-host lets agents reach a host, or several, and nothing else",
  () =>
    Effect.gen(function*() {
      const { port } = yield* serveHttp((_incoming, outgoing) => void outgoing.end("there"))
      const { env } = yield* startGateway(["--allow-host", "api.example.com", "--allow-host", `127.0.0.1:${port}`])
      const get = (host: string) =>
        kruxos(["invoke", "network.http_request", JSON.stringify({ url: `http://${host}:${port}/` })], { env })
      const got = yield* get("127.0.0.1")
      assert.strictEqual(got.code, 0, got.stderr)
      assert.deepInclude(JSON.parse(got.stdout), { status_code: 200, body: "there" })
      const refused = yield* get("localhost")
      assert.strictEqual(refused.code, 1)
      assert.include(refused.stderr, "DomainNotAllowed: The policy does not let agents reach localhost")
    }),
  40_000
)

it.scopedLive("kruxos gateway does not start with what is no host", () =>
  Effect.gen(function*() {
    const { workspace } = yield* folders
    const args = ["gateway", "--workspace", workspace, "--data", ":memory:", "--port", "0"]
    const { code, stderr } = yield* kruxos([...args, "--allow-host", "https://example.com"])
    assert.strictEqual(code, 1)
    assert.match(stderr, /^[^\n]*"https:\/\/example\.com" is no pattern of hosts[^\n]*\n$/)
  }), 40_000)
