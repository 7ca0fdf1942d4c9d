import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import type * as http from "node:http"
import { gzipSync } from "node:zlib"
import { until, within } from "../../../support/deadline.js"
import { serveHttp, serveTcp, serveTls } from "../../egress/servers.js"
import { invoke, type World } from "./support.js"

const request = (input: { readonly [name: string]: unknown }, world: World = {}) =>
  within("network.http_request")(invoke("network.http_request", input, world))

const failing = (input: { readonly [name: string]: unknown }, world: World = {}) => Effect.flip(request(input, world))

const bodyOf = (incoming: http.IncomingMessage): Promise<string> =>
  new Promise((resolve) => {
    const pieces: Array<Buffer> = []
    incoming.on("data", (piece: Buffer) => pieces.push(piece))
    incoming.on("end", () => resolve(Buffer.concat(pieces).toString()))
  })

/** Answers with what it was asked. */
const echo: http.RequestListener = (incoming, outgoing) => {
  outgoing.setHeader("content-type", "application/json")
  void bodyOf(incoming).then((body) =>
    outgoing.end(JSON.stringify({
      method: incoming.method,
      url: incoming.url,
      headers: incoming.headers,
      rawHeaders: incoming.rawHeaders,
      body
    }))
  )
}

const echoed = (output: { readonly [name: string]: unknown }) => JSON.parse(String(output["body"]))

describe("network.http_request", () => {
  it.scopedLive("gives status, headers, body, URL and time", () =>
    Effect.gen(function*() {
      const server = yield* serveHttp((_incoming, outgoing) => {
        outgoing.writeHead(404, { "content-type": "text/plain; charset=utf-8", "X-Twice": ["a", "b"] })
        outgoing.end("grüß Gott")
      })
      const url = `http://127.0.0.1:${server.port}/a/b?c=d`
      const output = yield* request({ url: `${url}#part` }, { allow: [`127.0.0.1:${server.port}`] })
      assert.deepInclude(output, { status_code: 404, body: "grüß Gott", url })
      assert.deepInclude(output["headers"], { "content-type": "text/plain; charset=utf-8", "x-twice": "a, b" })
      assert.isTrue(Number.isInteger(output["duration_ms"]))
      assert.deepStrictEqual(Object.keys(output).sort(), ["body", "duration_ms", "headers", "status_code", "url"])
      yield* until("the socket to be closed", Effect.sync(() => server.open() === 0))
    }))

  it.scopedLive("sends method, headers and body, and says who it is only if the agent does not", () =>
    Effect.gen(function*() {
      const server = yield* serveHttp(echo)
      const world = { allow: ["localhost"], names: { localhost: ["127.0.0.1"] } }
      const url = `http://localhost:${server.port}/`
      for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
        const output = echoed(yield* request({ url, method, body: "ä", headers: { "X-Mine": "1" } }, world))
        assert.deepInclude(output, { method, body: "ä" })
        assert.deepInclude(output.headers, {
          "x-mine": "1",
          "user-agent": "kruxos-gateway",
          "accept-encoding": "identity",
          "content-length": "2",
          host: `localhost:${server.port}`
        })
      }
      const own = echoed(yield* request({ url, headers: { "User-Agent": "mine" } }, world))
      assert.strictEqual(own.headers["user-agent"], "mine")
    }))

  it.scopedLive("leaves the body out of GET and HEAD, and waits for none that HEAD announces", () =>
    Effect.gen(function*() {
      const server = yield* serveHttp((incoming, outgoing) => {
        if (incoming.method === "GET") return echo(incoming, outgoing)
        outgoing.setHeader("content-length", String(100 * 1024 * 1024))
        outgoing.end()
      })
      const world = { allow: ["127.0.0.1"] }
      const url = `http://127.0.0.1:${server.port}/`
      assert.strictEqual(echoed(yield* request({ url, body: "x" }, world)).body, "")
      assert.deepInclude(yield* request({ url, method: "HEAD", body: "x" }, world), { status_code: 200, body: "" })
    }))

  it.scopedLive("uses no proxy of the environment", () =>
    Effect.gen(function*() {
      const proxy = yield* serveHttp((_incoming, outgoing) => void outgoing.end("proxy"))
      const server = yield* serveHttp((_incoming, outgoing) => void outgoing.end("server"))
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          process.env["http_proxy"] = `http://127.0.0.1:${proxy.port}`
        }),
        () => Effect.sync(() => delete process.env["http_proxy"])
      )
      const output = yield* request({ url: `http://127.0.0.1:${server.port}/` }, { allow: ["127.0.0.1"] })
      assert.deepStrictEqual([output["body"], proxy.connections()], ["server", 0])
    }))

  it.scopedLive("tries the addresses of a name one after the other", () =>
    Effect.gen(function*() {
      const server = yield* serveHttp((_incoming, outgoing) => void outgoing.end("there"), "127.0.0.2")
      const output = yield* request({ url: `http://db:${server.port}/` }, {
        allow: ["db"],
        names: { db: ["127.0.0.1", "127.0.0.2"] }
      })
      assert.strictEqual(output["body"], "there")
    }))
})

describe("a body", () => {
  it.scopedLive("is text where its type is, in its charset, and else base64", () =>
    Effect.gen(function*() {
      const bodies: { readonly [path: string]: readonly [type: string | undefined, bytes: Buffer] } = {
        "/latin1": ["text/html; charset=ISO-8859-1", Buffer.from([0x67, 0x72, 0xfc, 0xdf])],
        "/broken": ["text/plain", Buffer.from([0x61, 0xff])],
        "/problem": ["application/problem+json", Buffer.from("{}")],
        "/image": ["image/png", Buffer.from("PNG")],
        "/untyped": [undefined, Buffer.from("plain")],
        "/untyped-binary": [undefined, Buffer.from([0xff, 0x00])],
        "/strange": ["text/plain; charset=no-such", Buffer.from("ü")]
      }
      const server = yield* serveHttp((incoming, outgoing) => {
        const [type, bytes] = bodies[incoming.url ?? ""] ?? [undefined, Buffer.alloc(0)]
        if (type !== undefined) outgoing.setHeader("content-type", type)
        outgoing.end(bytes)
      })
      const found: Array<unknown> = []
      for (const path of Object.keys(bodies)) {
        const output = yield* request({ url: `http://127.0.0.1:${server.port}${path}` }, { allow: ["127.0.0.1"] })
        found.push(output["body"])
      }
      assert.deepStrictEqual(found, ["grüß", "a\uFFFD", "{}", "UE5H", "plain", "/wA=", "ü"])
    }))

  it.scopedLive("is unpacked, but never to more than 10 MiB", () =>
    Effect.gen(function*() {
      const server = yield* serveHttp((incoming, outgoing) => {
        outgoing.setHeader("content-encoding", "gzip")
        outgoing.setHeader("content-type", "text/plain")
        outgoing.end(
          incoming.url === "/bomb"
            ? gzipSync(Buffer.alloc(50 * 1024 * 1024))
            : incoming.url === "/broken"
            ? "not gzip"
            : gzipSync("packed")
        )
      })
      const world = { allow: ["127.0.0.1"] }
      const url = `http://127.0.0.1:${server.port}`
      assert.strictEqual((yield* request({ url }, world))["body"], "packed")
      assert.deepInclude(yield* failing({ url: `${url}/bomb` }, world), {
        _tag: "ResourceExhausted",
        resource: "response body",
        limit: 10 * 1024 * 1024
      })
      assert.deepInclude(yield* failing({ url: `${url}/broken` }, world), { _tag: "RequestFailed" })
    }))

  it.scopedLive("of more than 10 MiB is refused, announced or not, and the connection closed", () =>
    Effect.gen(function*() {
      const most = 10 * 1024 * 1024
      const server = yield* serveHttp((incoming, outgoing) => {
        if (incoming.url === "/endless") {
          const piece = Buffer.alloc(1024 * 1024)
          const more = () => {
            while (outgoing.write(piece));
          }
          outgoing.on("drain", more)
          more()
        } else if (incoming.url === "/announced") {
          outgoing.setHeader("content-length", String(most + 1))
          outgoing.write("x")
        } else outgoing.end(Buffer.alloc(most, "x"))
      })
      const world = { allow: ["127.0.0.1"] }
      const url = `http://127.0.0.1:${server.port}`
      const whole = yield* request({ url }, world)
      assert.strictEqual(Buffer.from(String(whole["body"]), "latin1").length, most)
      for (const path of ["/endless", "/announced"]) {
        assert.deepInclude(yield* failing({ url: `${url}${path}` }, world), {
          _tag: "ResourceExhausted",
          resource: "response body",
          retryable: false
        })
      }
      yield* until("the sockets to be closed", Effect.sync(() => server.open() === 0))
    }))
})

describe("redirects", () => {
  const redirecting = (answer: (path: string) => readonly [status: number, location: string] | undefined) =>
    serveHttp((incoming, outgoing) => {
      const found = answer(incoming.url ?? "")
      if (found === undefined) return echo(incoming, outgoing)
      outgoing.writeHead(found[0], { location: found[1] })
      outgoing.end("moved")
    })

  it.scopedLive("are followed, or not if the agent wants none", () =>
    Effect.gen(function*() {
      const server = yield* redirecting((path) =>
        path === "/old" ? [302, "new?x=1"] : path === "/new?x=1" ? [301, "/newest"] : undefined
      )
      const url = `http://127.0.0.1:${server.port}`
      const world = { allow: ["127.0.0.1"] }
      const output = yield* request({ url: `${url}/old` }, world)
      assert.deepInclude(output, { status_code: 200, url: `${url}/newest` })
      const first = yield* request({ url: `${url}/old`, follow_redirects: false }, world)
      assert.deepInclude(first, { status_code: 302, url: `${url}/old`, body: "moved" })
      yield* until("the sockets to be closed", Effect.sync(() => server.open() === 0))
    }))

  it.scopedLive("change the method and drop the body as browsers do", () =>
    Effect.gen(function*() {
      const server = yield* redirecting((path) => /^\/\d+$/.test(path) ? [Number(path.slice(1)), "/end"] : undefined)
      const found: Array<unknown> = []
      for (const [status, method] of [[301, "POST"], [302, "POST"], [303, "PUT"], [307, "POST"], [308, "PATCH"]]) {
        const output = echoed(
          yield* request({
            url: `http://127.0.0.1:${server.port}/${status}`,
            method,
            body: "{}",
            headers: { "content-type": "application/json" }
          }, { allow: ["127.0.0.1"] })
        )
        found.push([status, output.method, output.body, output.headers["content-type"]])
      }
      assert.deepStrictEqual(found, [
        [301, "GET", "", undefined],
        [302, "GET", "", undefined],
        [303, "GET", "", undefined],
        [307, "POST", "{}", "application/json"],
        [308, "PATCH", "{}", "application/json"]
      ])
    }))

  it.scopedLive("to another origin take no credentials along", () =>
    Effect.gen(function*() {
      const target = yield* serveHttp(echo)
      const server = yield* redirecting((path) =>
        path === "/away" ? [307, `http://127.0.0.1:${target.port}/`] : path === "/same" ? [307, "/"] : undefined
      )
      const headers = {
        Authorization: "Bearer abc",
        Cookie: "a=b",
        "X-Api-Key": "k",
        "X-Auth-Token": "t",
        "X-Plain": "p"
      }
      const world = { allow: ["127.0.0.1"] }
      const away = echoed(yield* request({ url: `http://127.0.0.1:${server.port}/away`, headers }, world)).headers
      assert.notInclude(JSON.stringify(away), "abc")
      assert.doesNotHaveAnyKeys(away, ["authorization", "cookie", "x-api-key", "x-auth-token"])
      assert.strictEqual(away["x-plain"], "p")
      const same = echoed(yield* request({ url: `http://127.0.0.1:${server.port}/same`, headers }, world)).headers
      assert.deepInclude(same, { authorization: "Bearer abc", cookie: "a=b" })
    }))

  it.scopedLive("are followed ten times and not once more", () =>
    Effect.gen(function*() {
      const server = yield* redirecting((path) => path === "/0" ? undefined : [302, `/${Number(path.slice(1)) - 1}`])
      const url = `http://127.0.0.1:${server.port}`
      const world = { allow: ["127.0.0.1"] }
      assert.deepInclude(yield* request({ url: `${url}/10` }, world), { status_code: 200 })
      const error = yield* failing({ url: `${url}/11` }, world)
      assert.deepInclude(error, { _tag: "RequestFailed", retryable: false, context: { reason: "bad_redirect" } })
      assert.strictEqual(server.connections(), 22)
    }))

  it.scopedLive("to hosts that are not allowed, or to what is no web page, are refused", () =>
    Effect.gen(function*() {
      const bystander = yield* serveHttp(echo)
      const elsewhere: ReadonlyArray<readonly [location: string, domain: string]> = [
        [`http://127.0.0.2:${bystander.port}/`, "127.0.0.2"],
        [`http://localhost:${bystander.port}/`, "localhost"],
        [`http://2130706434:${bystander.port}/`, "127.0.0.2"],
        [`http://[::ffff:127.0.0.2]:${bystander.port}/`, "127.0.0.2"],
        [`//127.0.0.1:${bystander.port}/`, "127.0.0.1"],
        ["http://169.254.169.254/latest/meta-data/?x=secret", "169.254.169.254"],
        ["https://evil.example/", "evil.example"]
      ]
      const broken = ["file:///etc/passwd", "http://user:pass@127.0.0.1/", "http://", "ftp://127.0.0.1/", "http://:0/"]
      const locations = [...elsewhere.map(([location]) => location), ...broken]
      const server = yield* redirecting((path) => [302, locations[Number(path.slice(1))] ?? "/"])
      const world = { allow: [`127.0.0.1:${server.port}`], names: { "evil.example": ["127.0.0.1"] } }
      for (const [index, location] of locations.entries()) {
        const error = yield* failing({ url: `http://127.0.0.1:${server.port}/${index}` }, world)
        const domain = elsewhere[index]?.[1]
        if (domain === undefined) assert.deepInclude(error, { _tag: "RequestFailed" }, location)
        else assert.deepInclude(error, { _tag: "DomainNotAllowed", domain }, location)
        assert.notInclude(JSON.stringify(error), "secret")
      }
      assert.strictEqual(bystander.connections(), 0)
    }))
})

describe("a host that is not allowed", () => {
  it.scopedLive("is DomainNotAllowed, with the rule that says so, and is asked nothing", () =>
    Effect.gen(function*() {
      const server = yield* serveHttp(echo)
      const url = `http://127.0.0.1:${server.port}/path?key=secret`
      const error = yield* failing({ url })
      assert.deepInclude(error, {
        _tag: "DomainNotAllowed",
        domain: "127.0.0.1",
        url: `http://127.0.0.1:${server.port}/path`
      })
      assert.deepInclude(error.context, { rule: "organization:network.allow" })
      assert.strictEqual(server.connections(), 0)
    }))

  it.scopedLive("is one whose name comes to mean an address of one's own", () =>
    Effect.gen(function*() {
      const server = yield* serveHttp(echo)
      for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.1", "0.0.0.0"]) {
        const error = yield* failing({ url: `http://api.example.com:${server.port}/` }, {
          allow: ["api.example.com", "*.example.com", "*"],
          names: { "api.example.com": [address] }
        })
        assert.deepInclude(error, { _tag: "DomainNotAllowed", domain: "api.example.com" }, address)
      }
      assert.strictEqual(server.connections(), 0)
    }))

  it.scopedLive("may have other addresses: those that are not allowed are left out", () =>
    Effect.gen(function*() {
      const bystander = yield* serveHttp(echo)
      const server = yield* serveHttp((_incoming, outgoing) => void outgoing.end("allowed"), "127.0.0.3")
      const output = yield* request({ url: `http://mixed.example:${server.port}/` }, {
        allow: ["mixed.example", `127.0.0.3:${server.port}`],
        names: { "mixed.example": ["127.0.0.1", "127.0.0.3"] }
      })
      assert.strictEqual(output["body"], "allowed")
      assert.strictEqual(bystander.connections(), 0)
    }))
})

describe("a request that cannot be made", () => {
  it.scopedLive("is InvalidUrl where the URL is none", () =>
    Effect.gen(function*() {
      const urls = [
        "",
        "no url",
        "/path",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/plain,x",
        "http://",
        "http://user@example.com/",
        "http://user:password@example.com/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://256.256.256.256/",
        "http://a..b/",
        `http://example.com/${"a".repeat(10_000)}`
      ]
      for (const url of urls) {
        const error = yield* failing({ url }, { allow: ["*"] })
        assert.deepInclude(error, { _tag: "InvalidInput", type: "InvalidUrl", field: "url" }, url)
        assert.notInclude(error.message, "password@")
      }
    }))

  it.scopedLive("is InvalidMethod for a method that is not listed", () =>
    Effect.gen(function*() {
      for (const method of ["get", "TRACE", "CONNECT", "GET / HTTP/1.1\r\nx: y"]) {
        const error = yield* failing({ url: "http://example.com/", method }, { allow: ["*"] })
        assert.deepInclude(error, { _tag: "InvalidInput", type: "InvalidMethod", field: "method" })
      }
    }))

  it.scopedLive("refuses headers that end the request early or belong to the connection", () =>
    Effect.gen(function*() {
      const server = yield* serveHttp(echo)
      const headers: ReadonlyArray<{ readonly [name: string]: string }> = [
        { Host: "internal.example" },
        { "Content-Length": "0" },
        { "Transfer-Encoding": "chunked" },
        { Connection: "keep-alive" },
        { "Proxy-Authorization": "x" },
        { Upgrade: "websocket" },
        { Expect: "100-continue" },
        { TE: "trailers" },
        { "X-A": "secret\r\nX-B: b" },
        { "X-A": "a\nb" },
        { "X-A": "a\0b" },
        { "X-A": "snow ☃" },
        { "X-A\r\nX-B": "b" },
        { "X A": "b" },
        { "": "b" },
        { "X-A": "1", "x-a": "2" },
        { "X-A": "a".repeat(40_000) }
      ]
      for (const given of headers) {
        const error = yield* failing({ url: `http://127.0.0.1:${server.port}/`, headers: given }, {
          allow: ["127.0.0.1"]
        })
        assert.deepInclude(error, { _tag: "InvalidInput", field: "headers" }, JSON.stringify(given).slice(0, 80))
        assert.notInclude(error.message, "secret")
      }
      assert.strictEqual(server.connections(), 0)
    }))

  it.scopedLive("takes a timeout from 1 to 300 seconds", () =>
    Effect.gen(function*() {
      for (const timeout of [0, 301, 1.5]) {
        const error = yield* failing({ url: "http://example.com/", timeout }, { allow: ["*"] })
        assert.deepInclude(error, { _tag: "InvalidInput", field: "timeout" })
      }
    }))
})

describe("RequestFailed", () => {
  it.scopedLive("says that a name has no address, or that nobody listens", () =>
    Effect.gen(function*() {
      const port = yield* Effect.scoped(Effect.map(serveTcp(() => undefined), (server) => server.port))
      const world = { allow: ["127.0.0.1", "missing.example"] }
      assert.deepInclude(yield* failing({ url: `http://127.0.0.1:${port}/?q=1`, method: "POST" }, world), {
        _tag: "RequestFailed",
        url: `http://127.0.0.1:${port}/`,
        retryable: true,
        context: { reason: "not_connected" }
      })
      assert.deepInclude(yield* failing({ url: "http://missing.example/" }, world), {
        _tag: "RequestFailed",
        retryable: true,
        context: { reason: "not_resolved" }
      })
    }))

  it.scopedLive("says that the host broke off or speaks something else; a second POST is then not suggested", () =>
    Effect.gen(function*() {
      const answers = ["", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", "HTTP/1.1 2"]
      const servers = yield* Effect.forEach(answers, (answer) =>
        serveTcp((socket) => {
          socket.once("data", () => socket.end(answer))
        }))
      for (const { port } of servers) {
        const url = `http://127.0.0.1:${port}/`
        const world = { allow: ["127.0.0.1"] }
        const context = { reason: "broken_off" }
        assert.deepInclude(yield* failing({ url }, world), { _tag: "RequestFailed", retryable: true, context })
        const posted = yield* failing({ url, method: "POST" }, world)
        assert.deepInclude(posted, { _tag: "RequestFailed", retryable: false, context })
      }
    }))

  it.scopedLive("is for a host whose certificate nobody vouches for", () =>
    Effect.gen(function*() {
      const read = (name: string) => fs.readFileSync(new URL(`../../egress/${name}`, import.meta.url))
      const server = yield* serveTls({ key: read("untrusted.key"), cert: read("untrusted.crt") })
      const error = yield* failing({ url: `https://localhost:${server.port}/` }, {
        allow: ["localhost"],
        names: { localhost: ["127.0.0.1"] }
      })
      assert.deepInclude(error, { _tag: "RequestFailed", retryable: false, context: { reason: "not_trusted" } })
    }))

  it.scopedLive("is for a host that is too slow, in its headers or in its body; the connection is closed then", () =>
    Effect.gen(function*() {
      const server = yield* serveTcp((socket) => {
        socket.once("data", (head) => {
          if (String(head).startsWith("GET /body")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        })
      })
      for (const path of ["/headers", "/body"]) {
        const error = yield* failing({ url: `http://127.0.0.1:${server.port}${path}`, timeout: 1 }, {
          allow: ["127.0.0.1"]
        })
        assert.deepInclude(error, { _tag: "RequestFailed", retryable: true, context: { reason: "timeout" } })
      }
      yield* until("the sockets to be closed", Effect.sync(() => server.open() === 0))
    }))

  it.scopedLive("a cancelled request closes its connection", () =>
    Effect.gen(function*() {
      const server = yield* serveTcp((socket) => {
        socket.once("data", (head) => {
          if (String(head).startsWith("GET /body")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        })
      })
      for (const path of ["/headers", "/body"]) {
        const before = server.connections()
        const fiber = yield* Effect.fork(
          request({ url: `http://127.0.0.1:${server.port}${path}`, timeout: 300 }, { allow: ["127.0.0.1"] })
        )
        yield* until("the connection", Effect.sync(() => server.connections() > before))
        yield* Effect.sleep("50 millis")
        yield* within("the interruption", "2 seconds")(Fiber.interrupt(fiber))
        yield* until("the socket to be closed", Effect.sync(() => server.open() === 0))
      }
    }))
})

it.scopedLive("a host that closes while its answer is still being read breaks nothing", () =>
  Effect.gen(function*() {
    const body = "a".repeat(2 * 1024 * 1024)
    const server = yield* serveTcp((socket) => {
      socket.once("data", () => {
        socket.end(`HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n${body}`)
      })
    })
    const url = `http://127.0.0.1:${server.port}/`
    const answers = yield* Effect.all(
      Array.from({ length: 10 }, () => request({ url }, { allow: ["127.0.0.1"] })),
      { concurrency: "unbounded" }
    )
    for (const answer of answers) assert.strictEqual(String(answer["body"]).length, body.length)
  }))
