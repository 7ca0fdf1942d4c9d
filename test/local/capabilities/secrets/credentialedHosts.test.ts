import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import * as fs from "node:fs"
import { gzipSync } from "node:zlib"
import { within } from "../../../support/deadline.js"
import { serveHttp, serveTcp, serveTls } from "../../egress/servers.js"
import { credentialed, everythingOf, testVault, type World } from "./support.js"

const plain = "kx-7Yp2-Qq.Zz_9"

/** Asks with a secret for these hosts, which is kept anew each time. */
const asking = (world: World) =>
  Effect.gen(function*() {
    const { add, invoke } = yield* testVault(world)
    let count = 0
    return (url: string, hosts: ReadonlyArray<string>) =>
      Effect.gen(function*() {
        const name = `token-${count++}`
        yield* add({ name, hosts, value: Redacted.make(plain) })
        return yield* within(url)(invoke(credentialed, { url, secret_name: name, timeout: 5 }))
      })
  })

describe("the hosts of a secret", () => {
  it.scopedLive("are meant however they are written, with and without a port", () =>
    Effect.gen(function*() {
      const server = yield* serveHttp((_incoming, outgoing) => void outgoing.end("ok"))
      const { port } = server
      const names = { "xn--bcher-kva.internal": ["127.0.0.1"], "a.b.internal": ["127.0.0.1"], internal: ["127.0.0.1"] }
      const ask = yield* asking({ allow: ["127.0.0.1", ...Object.keys(names)], names })
      const meant: ReadonlyArray<readonly [host: string, pattern: string]> = [
        ["bücher.internal", "BÜCHER.Internal."],
        ["XN--BCHER-KVA.internal.", "bücher.internal"],
        ["a.b.internal", "*.B.internal"],
        ["a.b.internal.", `*.internal:${port}`],
        ["2130706433", "127.0.0.1"],
        ["127.1", `0x7f.1:${port}`],
        ["[::ffff:127.0.0.1]", "127.0.0.1"]
      ]
      for (const [host, pattern] of meant) {
        assert.deepInclude(yield* ask(`http://${host}:${port}/`, [pattern]), { status_code: 200 }, `${host} ${pattern}`)
      }
      const others: ReadonlyArray<readonly [host: string, pattern: string]> = [
        ["a.b.internal", "b.internal"],
        ["a.b.internal", "*.a.b.internal"],
        ["a.b.internal", `a.b.internal:${port + 1}`],
        ["internal", "*.internal"],
        ["127.0.0.1", "127.0.0.2"],
        ["127.0.0.1", "internal"]
      ]
      for (const [host, pattern] of others) {
        const failure = yield* Effect.flip(ask(`http://${host}:${port}/`, [pattern]))
        assert.deepInclude(failure, { _tag: "HostNotAllowed" }, `${host} ${pattern}`)
      }
      assert.strictEqual(server.connections(), meant.length)
    }))

  it.scopedLive("are none of one's own network where all public ones are meant, which may be the agent's own program", () =>
    Effect.gen(function*() {
      const server = yield* serveHttp((_incoming, outgoing) => void outgoing.end("ok"))
      const ask = yield* asking({
        allow: ["127.0.0.1", "localhost", "db"],
        names: { localhost: ["127.0.0.1"], db: ["127.0.0.1"] }
      })
      for (const host of ["127.0.0.1", "localhost", "db"]) {
        const url = `http://${host}:${server.port}/`
        for (const pattern of ["*", `*:${server.port}`]) {
          const failure = yield* Effect.flip(ask(url, [pattern]))
          assert.deepInclude(failure, { _tag: "HostNotAllowed", host }, `${host} ${pattern}`)
        }
        yield* ask(url, ["*", host])
      }
      assert.strictEqual(server.connections(), 3)
    }))
})

describe("a secret travels", () => {
  it.scopedLive("without encryption to no public address, whatever name leads there", () =>
    Effect.gen(function*() {
      const server = yield* serveHttp((_incoming, outgoing) => void outgoing.end("ok"))
      const ask = yield* asking({
        allow: ["db", "nas.local"],
        names: { db: ["93.184.215.14"], "nas.local": ["93.184.215.14", "127.0.0.1"] }
      })
      const failure = yield* Effect.flip(ask(`http://db:${server.port}/`, ["db"]))
      assert.deepInclude(failure, { _tag: "HostNotAllowed", host: "db" })
      assert.match(failure.message, /unencrypted/)
      assert.deepInclude(yield* ask(`http://nas.local:${server.port}/`, ["nas.local"]), { status_code: 200 })
    }))

  it.scopedLive("to nobody whose certificate is not trusted, whatever the environment says", () =>
    Effect.gen(function*() {
      const read = (name: string) => fs.readFileSync(new URL(`../../egress/${name}`, import.meta.url))
      const server = yield* serveTls({ key: read("untrusted.key"), cert: read("untrusted.crt") })
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0"
        }),
        () => Effect.sync(() => delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"])
      )
      const ask = yield* asking({ allow: ["localhost"], names: { localhost: ["127.0.0.1"] } })
      const failure = yield* Effect.flip(ask(`https://localhost:${server.port}/`, ["localhost"]))
      assert.deepInclude(failure, {
        _tag: "CapabilityError",
        type: "RequestFailed",
        context: { reason: "not_trusted" }
      })
      assert.strictEqual(server.connections(), 1)
    }))

  it.scopedLive("along no redirect to http, another port, another host or what is no web page", () =>
    Effect.gen(function*() {
      const bystander = yield* serveHttp((_incoming, outgoing) => void outgoing.end("mine now"))
      const locations = [
        `http://127.0.0.1:${bystander.port}/`,
        `http://localhost:${bystander.port}/`,
        `//127.0.0.2:${bystander.port}/`,
        `https://127.0.0.1:${bystander.port}/`,
        "http://169.254.169.254/latest/meta-data/",
        `http://user:name@127.0.0.1:${bystander.port}/`,
        "ftp://127.0.0.1/",
        "http://",
        `\\\\127.0.0.1:${bystander.port}\\`
      ]
      const server = yield* serveHttp((incoming, outgoing) => {
        outgoing.writeHead(307, { location: locations[Number(incoming.url?.slice(1))] ?? "/" }).end("moved")
      })
      const ask = yield* asking({
        allow: ["127.0.0.1", "127.0.0.2", "localhost", "169.254.169.254"],
        names: { localhost: ["127.0.0.1"] }
      })
      for (const [index, location] of locations.entries()) {
        const answer = yield* ask(`http://127.0.0.1:${server.port}/${index}`, [
          "*",
          "127.0.0.1",
          "127.0.0.2",
          "localhost"
        ])
        assert.deepInclude(answer, { status_code: 307, body: "moved" }, location)
      }
      assert.strictEqual(bystander.connections(), 0)
    }))
})

it.scopedLive("an answer that is packed for the way is not handed on", () =>
  Effect.gen(function*() {
    const server = yield* serveTcp((socket) => {
      socket.once("data", (data) => {
        const packed = gzipSync(data)
        const head = "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: gzip, chunked\r\n\r\n"
        const chunk = [Buffer.from(`${packed.length.toString(16)}\r\n`), packed, Buffer.from("\r\n0\r\n\r\n")]
        socket.end(Buffer.concat([Buffer.from(head), ...chunk]))
      })
    })
    const ask = yield* asking({ allow: ["127.0.0.1"] })
    const failure = yield* Effect.flip(ask(`http://127.0.0.1:${server.port}/`, ["127.0.0.1"]))
    assert.deepInclude(failure, { _tag: "CapabilityError", type: "RequestFailed", context: { reason: "broken_off" } })
    assert.include(failure.message, "packed")
  }))

describe("a secret with letters beyond ASCII", () => {
  const secret = "Grüße-aus-Köln-0123"

  /** What comes back of it from a host that answers with these bytes. */
  const answered = (head: (sent: Buffer) => Buffer, placement?: { readonly [name: string]: string }) =>
    Effect.gen(function*() {
      const server = yield* serveTcp((socket) => {
        socket.once("data", (data) => {
          const value = /Bearer (.*)\r\n/.exec(data.toString("latin1"))?.[1] ?? ""
          socket.end(head(Buffer.from(value, "latin1")))
        })
      })
      const { add, invoke } = yield* testVault()
      yield* add({ value: Redacted.make(secret) })
      const output = yield* within("the answer")(invoke(credentialed, {
        url: `http://127.0.0.1:${server.port}/`,
        secret_name: "token",
        ...(placement === undefined ? {} : { credential_placement: placement })
      }))
      return { headers: JSON.stringify(output["headers"]), body: String(output["body"]) }
    })

  const answer = (type: string, header: Buffer, body: Buffer) =>
    Buffer.concat([
      Buffer.from(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: ${type}\r\nx-echo: `),
      header,
      Buffer.from("\r\n\r\n"),
      body
    ])

  it.scopedLive("is taken out of a body and a header that repeat the bytes of the request", () =>
    Effect.gen(function*() {
      for (const type of ["text/plain", "application/octet-stream", "text/plain; charset=latin1"]) {
        const { body, headers } = yield* answered((sent) => {
          assert.strictEqual(sent.toString("latin1"), secret)
          return answer(type, sent, Buffer.concat([Buffer.from("<"), sent, Buffer.from(">")]))
        })
        const shown = type.startsWith("text/") ? body : Buffer.from(body, "base64").toString("latin1")
        assert.strictEqual(shown, "<[REDACTED]>", type)
        assert.include(headers, "\"x-echo\":\"[REDACTED]\"")
      }
    }))

  it.scopedLive("is taken out of a header that has it in UTF-8, and in base64 and hexadecimal", () =>
    Effect.gen(function*() {
      const single = Buffer.from(secret, "latin1")
      const { body, headers } = yield* answered(
        () =>
          answer(
            "text/plain",
            Buffer.from(secret),
            Buffer.from(`${single.toString("base64")} ${single.toString("hex")}`)
          ),
        { type: "query", name: "key", format: "{secret}" }
      )
      assert.include(headers, "\"x-echo\":\"[REDACTED]\"")
      assert.strictEqual(body, "[REDACTED] [REDACTED]")
    }))

  it.scopedLive("is in no error", () =>
    Effect.gen(function*() {
      const server = yield* serveTcp((socket) => {
        socket.once("data", (data) => socket.end(Buffer.concat([Buffer.from("HTTP/1.1 abc "), data])))
      })
      const { add, invoke } = yield* testVault()
      yield* add({ value: Redacted.make(secret) })
      const failure = yield* Effect.flip(
        invoke(credentialed, { url: `http://127.0.0.1:${server.port}/`, secret_name: "token" })
      )
      assert.deepInclude(failure, { _tag: "CapabilityError", type: "RequestFailed" })
      assert.notInclude(everythingOf(failure), "0123")
    }))
})
