import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import { gzipSync } from "node:zlib"
import { DownloadLimits } from "../../../../src/local/capabilities/network/download.js"
import { until, within } from "../../../support/deadline.js"
import { serveHttp, serveTcp } from "../../egress/servers.js"
import { fixture } from "../../workspace/support.js"
import { invoke } from "./support.js"

const content = randomBytes(3 * 1024 * 1024)
const sha256 = createHash("sha256").update(content).digest("hex")

const setup = Effect.gen(function*() {
  const { host, root, workspace } = yield* fixture()
  const server = yield* serveHttp((incoming, outgoing) => {
    switch (incoming.url) {
      case "/file":
        return outgoing.end(content)
      case "/moved":
        return outgoing.writeHead(302, { location: "/file" }).end()
      case "/packed":
        return outgoing.setHeader("content-encoding", "gzip").end(gzipSync("packed"))
      case "/away":
        return outgoing.writeHead(302, { location: "http://169.254.169.254/" }).end()
      case "/cut":
        outgoing.setHeader("content-length", "100")
        return outgoing.write("abc", () => outgoing.destroy())
      case "/busy":
        return outgoing.writeHead(503).end("busy")
      case "/slow":
        return outgoing.write("abc")
      default:
        return outgoing.writeHead(404).end("none")
    }
  })
  const download = (input: { readonly [name: string]: unknown }, allow: ReadonlyArray<string> = ["127.0.0.1"]) =>
    within("network.download")(
      invoke("network.download", {
        ...input,
        url: String(input["url"]).replace(/^\//, `http://127.0.0.1:${server.port}/`)
      }, { allow, workspace })
    )
  return {
    download,
    failing: (input: { readonly [name: string]: unknown }, allow?: ReadonlyArray<string>) =>
      Effect.flip(download(input, allow)),
    host,
    server,
    names: () => fs.readdirSync(root).sort()
  }
})

describe("network.download", () => {
  it.scopedLive("writes the file, with its size and checksum", () =>
    Effect.gen(function*() {
      const { download, host, names, server } = yield* setup
      const output = yield* download({ url: "/moved", path: "a.bin", expected_checksum: sha256.toUpperCase() })
      assert.deepInclude(output, { path: "/workspace/a.bin", size: content.length, checksum: sha256 })
      assert.deepStrictEqual(Object.keys(output).sort(), ["checksum", "duration_ms", "path", "size"])
      assert.isTrue(fs.readFileSync(host("a.bin")).equals(content))
      assert.deepStrictEqual(names(), ["a.bin"])
      yield* until("the sockets to be closed", Effect.sync(() => server.open() === 0))
    }))

  it.scopedLive("keeps what is packed for the way as it comes", () =>
    Effect.gen(function*() {
      const { download, host } = yield* setup
      yield* download({ url: "/packed", path: "a.gz" })
      assert.isTrue(fs.readFileSync(host("a.gz")).equals(gzipSync("packed")))
    }))

  it.scopedLive("replaces a file only if it is told to, and asks the host nothing otherwise", () =>
    Effect.gen(function*() {
      const { download, failing, host, server } = yield* setup
      fs.writeFileSync(host("a.bin"), "old", { mode: 0o640 })
      const error = yield* failing({ url: "/file", path: "a.bin" })
      assert.deepInclude(error, { _tag: "DestinationExists", path: "/workspace/a.bin" })
      assert.strictEqual(server.connections(), 0)
      yield* download({ url: "/file", path: "a.bin", overwrite: true })
      assert.isTrue(fs.readFileSync(host("a.bin")).equals(content))
      assert.strictEqual(fs.statSync(host("a.bin")).mode & 0o777, 0o640)
    }))

  it.scopedLive("leaves nothing of a file with another checksum, and what was there before", () =>
    Effect.gen(function*() {
      const { failing, host, names } = yield* setup
      const expected = "0".repeat(64)
      assert.deepInclude(yield* failing({ url: "/file", path: "a.bin", expected_checksum: expected }), {
        _tag: "ChecksumMismatch",
        expected,
        actual: sha256
      })
      assert.deepStrictEqual(names(), [])
      fs.writeFileSync(host("a.bin"), "old")
      yield* failing({ url: "/file", path: "a.bin", expected_checksum: expected, overwrite: true })
      assert.deepStrictEqual([names(), fs.readFileSync(host("a.bin"), "utf8")], [["a.bin"], "old"])
      assert.deepInclude(yield* failing({ url: "/file", path: "a.bin", expected_checksum: "abc" }), {
        _tag: "InvalidInput",
        field: "expected_checksum"
      })
    }))

  it.scopedLive("fails with DownloadFailed where there is no file, or not all of it", () =>
    Effect.gen(function*() {
      const { failing, names } = yield* setup
      assert.deepInclude(yield* failing({ url: "/none", path: "a" }), {
        _tag: "DownloadFailed",
        retryable: false,
        context: { status_code: 404 }
      })
      assert.deepInclude(yield* failing({ url: "/busy", path: "a" }), { _tag: "DownloadFailed", retryable: true })
      assert.deepInclude(yield* failing({ url: "/cut", path: "a" }), {
        _tag: "DownloadFailed",
        context: { reason: "broken_off" }
      })
      const port = yield* Effect.scoped(Effect.map(serveTcp(() => undefined), (server) => server.port))
      assert.deepInclude(yield* failing({ url: `http://127.0.0.1:${port}/`, path: "a" }), {
        _tag: "DownloadFailed",
        context: { reason: "not_connected" }
      })
      assert.deepStrictEqual(names(), [])
    }))

  it.scopedLive("goes to no host that is not allowed, also by redirect", () =>
    Effect.gen(function*() {
      const { failing, names, server } = yield* setup
      assert.deepInclude(yield* failing({ url: "/file", path: "a" }, ["*"]), { _tag: "DomainNotAllowed" })
      assert.strictEqual(server.connections(), 0)
      assert.deepInclude(yield* failing({ url: "/away", path: "a" }), {
        _tag: "DomainNotAllowed",
        domain: "169.254.169.254"
      })
      assert.deepInclude(yield* failing({ url: "file:///etc/passwd", path: "a" }), {
        _tag: "InvalidInput",
        type: "InvalidUrl"
      })
      assert.deepStrictEqual(names(), [])
    }))

  it.scopedLive("writes nowhere but into the workspace", () =>
    Effect.gen(function*() {
      const { failing, host, server } = yield* setup
      fs.symlinkSync("../outside", host("link"))
      for (const path of ["/etc/a", "../a", "link/a", ".kruxos/a"]) {
        assert.deepInclude(yield* failing({ url: "/file", path }), { _tag: "PathOutOfScope" }, path)
      }
      fs.mkdirSync(host("directory"))
      assert.deepInclude(yield* failing({ url: "/file", path: "directory" }), { _tag: "DestinationExists" })
      for (const input of [{ path: "directory", overwrite: true }, { path: "missing/a" }, { path: "" }]) {
        assert.deepInclude(yield* failing({ url: "/file", ...input }), { _tag: "InvalidInput", field: "path" })
      }
      assert.strictEqual(server.connections(), 0)
    }))

  it.scopedLive("leaves nothing of a file that is too large, announced or not", () =>
    Effect.gen(function*() {
      const { failing, names } = yield* setup
      const limited = Effect.provideService(DownloadLimits, { bytes: 1024, silence: "5 seconds", whole: "5 seconds" })
      assert.deepInclude(yield* limited(failing({ url: "/file", path: "a" })), {
        _tag: "ResourceExhausted",
        resource: "download",
        limit: 1024
      })
      const endless = yield* serveTcp((socket) => {
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\n\r\n")
          socket.write(Buffer.alloc(4096))
        })
      })
      assert.deepInclude(yield* limited(failing({ url: `http://127.0.0.1:${endless.port}/`, path: "a" })), {
        _tag: "ResourceExhausted"
      })
      assert.deepStrictEqual(names(), [])
    }))

  it.scopedLive("gives up a host that says nothing for long", () =>
    Effect.gen(function*() {
      const { failing, names } = yield* setup
      for (const [silence, whole] of [["200 millis", "5 seconds"], ["5 seconds", "200 millis"]] as const) {
        const error = yield* failing({ url: "/slow", path: "a" }).pipe(
          Effect.provideService(DownloadLimits, { bytes: 1024, silence, whole })
        )
        assert.deepInclude(error, { _tag: "DownloadFailed", context: { reason: "timeout" } })
      }
      assert.deepStrictEqual(names(), [])
    }))

  it.scopedLive("closes the connection when it is cancelled, and leaves nothing", () =>
    Effect.gen(function*() {
      const { download, names, server } = yield* setup
      const fiber = yield* Effect.fork(download({ url: "/slow", path: "a.bin" }))
      yield* until("the connection", Effect.sync(() => server.connections() > 0))
      yield* Effect.sleep("50 millis")
      yield* within("the interruption", "2 seconds")(Fiber.interrupt(fiber))
      yield* until("the socket to be closed", Effect.sync(() => server.open() === 0))
      assert.deepStrictEqual(names(), [])
    }))
})
