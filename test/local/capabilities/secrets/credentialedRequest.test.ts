import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import type * as http from "node:http"
import { gzipSync } from "node:zlib"
import { within } from "../../../support/deadline.js"
import { serveHttp, serveTcp } from "../../egress/servers.js"
import { credentialed, everythingOf, testVault, type World } from "./support.js"

const plain = "kx-7Yp2-Qq.Zz_9"

const bodyOf = (incoming: http.IncomingMessage): Promise<string> =>
  new Promise((resolve) => {
    const pieces: Array<Buffer> = []
    incoming.on("data", (piece: Buffer) => pieces.push(piece))
    incoming.on("end", () => resolve(Buffer.concat(pieces).toString()))
  })

interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** A server that keeps what it receives, and the vault of an agent that may send the secret there. */
const setup = (
  answer: (received: Received, outgoing: http.ServerResponse) => void = (_received, outgoing) => outgoing.end("ok"),
  world: World = {}
) =>
  Effect.gen(function*() {
    const received: Array<Received> = []
    const server = yield* serveHttp((incoming, outgoing) => {
      const { headers, method, url } = incoming
      void bodyOf(incoming).then((body) => {
        const one = { method, url, headers, body }
        received.push(one)
        return answer(one, outgoing)
      })
    })
    const vault = yield* testVault(world)
    const url = `http://127.0.0.1:${server.port}`
    const request = (input: { readonly [name: string]: unknown } = {}, agent?: string) =>
      within(credentialed)(vault.invoke(credentialed, { url, secret_name: "token", ...input }, agent))
    return {
      ...vault,
      received,
      server,
      url,
      request,
      failing: (input?: { readonly [name: string]: unknown }, agent?: string) => Effect.flip(request(input, agent)),
      add: (secret: Parameters<typeof vault.add>[0] = {}) => vault.add({ value: Redacted.make(plain), ...secret })
    }
  })

describe("network.credentialed_request", () => {
  it.scopedLive("sends the secret in the Authorization header, with method, headers and body", () =>
    Effect.gen(function*() {
      const { add, received, request, uses } = yield* setup((_received, outgoing) => {
        outgoing.writeHead(201, { "x-mine": "a" }).end("done")
      })
      yield* add()
      const output = yield* request({ method: "POST", headers: { "X-Own": "1" }, body: "ä" })
      assert.deepStrictEqual(Object.keys(output).sort(), ["body", "duration_ms", "headers", "status_code"])
      assert.deepInclude(output, { status_code: 201, body: "done" })
      assert.deepInclude(output["headers"], { "x-mine": "a" })
      const [one] = received
      assert.deepInclude(one, { method: "POST", body: "ä", url: "/" })
      assert.deepInclude(one?.headers, {
        authorization: `Bearer ${plain}`,
        "x-own": "1",
        "accept-encoding": "identity"
      })
      assert.deepStrictEqual(yield* uses, [{
        agent: "agent",
        capability: credentialed,
        sessionId: "session",
        details: { secret: "token", host: "127.0.0.1", outcome: "used" }
      }])
    }))

  it.scopedLive("sends it in another header, or in a parameter of the URL", () =>
    Effect.gen(function*() {
      const { add, received, request, url } = yield* setup()
      yield* add({ value: Redacted.make(`${plain}&=+ ä`) })
      yield* request({
        credential_placement: { type: "query", name: "a key", format: "k:{secret}" },
        url: `${url}/p?x=%20`
      })
      const parameters = new URLSearchParams(received[0]?.url?.split("?")[1])
      assert.deepStrictEqual([...parameters], [["x", " "], ["a key", `k:${plain}&=+ ä`]])
      assert.isTrue(received[0]?.url?.startsWith("/p?x=%20&"))
      assert.isUndefined(received[0]?.headers.authorization)
      yield* request({ credential_placement: { type: "header", name: "X-Api-Key", format: "{secret}" } })
      assert.strictEqual(
        Buffer.from(String(received[1]?.headers["x-api-key"]), "latin1").toString("latin1"),
        `${plain}&=+ ä`
      )
    }))

  it.scopedLive("leaves the body out of GET and HEAD", () =>
    Effect.gen(function*() {
      const { add, received, request } = yield* setup()
      yield* add()
      for (const method of ["GET", "HEAD"]) yield* request({ method, body: "x" })
      assert.deepStrictEqual(received.map(({ body, method }) => [method, body]), [["GET", ""], ["HEAD", ""]])
    }))

  it.scopedLive("injects the access token of an OAuth token, and scrubs all of it", () =>
    Effect.gen(function*() {
      const answer = { access_token: "access-0123456789", refresh_token: "refresh-0123456789", token_type: "Bearer" }
      const { add, received, request } = yield* setup((_received, outgoing) =>
        outgoing.end(`${JSON.stringify(answer)} Bearer`)
      )
      yield* add({ type: "oauth_token", value: Redacted.make(JSON.stringify(answer)) })
      const output = yield* request()
      assert.strictEqual(received[0]?.headers.authorization, "Bearer access-0123456789")
      assert.notInclude(String(output["body"]), "0123456789")
      assert.include(String(output["body"]), "Bearer")
      yield* add({ name: "plain", type: "oauth_token", value: Redacted.make("plain-0123456789") })
      yield* request({ secret_name: "plain" })
      assert.strictEqual(received[1]?.headers.authorization, "Bearer plain-0123456789")
    }))
})

describe("a server that gives the secret back", () => {
  const header = (received: Received) => String(received.headers.authorization).slice("Bearer ".length)

  const reflecting = (answer: (secret: string, outgoing: http.ServerResponse) => void) =>
    Effect.gen(function*() {
      const made = yield* setup((received, outgoing) => answer(header(received), outgoing))
      // No header can have all of them.
      yield* made.add({ value: Redacted.make(secret) })
      return yield* made.request()
    })

  const secret = "kx-7Yp2/Qq+Zz\"9 \\x&<"

  const forms: { readonly [name: string]: (secret: string) => string } = {
    plain: (secret) => secret,
    "url-encoded": (secret) => encodeURIComponent(secret),
    base64: (secret) => Buffer.from(secret).toString("base64"),
    "base64 of the header": (secret) => Buffer.from(`Bearer ${secret}`).toString("base64"),
    JSON: (secret) => JSON.stringify({ secret })
  }

  it.scopedLive.each(Object.entries(forms))(
    "has it taken out of the body, %s",
    ([_name, form]) =>
      Effect.gen(function*() {
        const { body } = yield* reflecting((secret, outgoing) => {
          outgoing.setHeader("content-type", "text/plain")
          outgoing.end(`a ${form(secret)} b`)
        })
        assert.match(String(body), /^a .*\[REDACTED\].* b$/)
        assert.notInclude(String(body), form(secret))
      })
  )

  it.scopedLive("has it taken out of headers, their names and the place of a redirect", () =>
    Effect.gen(function*() {
      const { add, request } = yield* setup((received, outgoing) => {
        outgoing.writeHead(302, {
          location: `http://other.example/?t=${encodeURIComponent(header(received))}`,
          "x-echo": `Bearer ${header(received)}`,
          [`x-${header(received)}`]: "1",
          "set-cookie": [`a=${header(received)}`, "b=c"]
        })
        outgoing.end()
      })
      yield* add()
      const output = yield* request()
      assert.strictEqual(output["status_code"], 302)
      const headers = JSON.stringify(output["headers"])
      assert.notInclude(headers.toLowerCase(), plain.toLowerCase())
      assert.strictEqual(headers.split("[REDACTED]").length - 1, 4)
    }))

  it.scopedLive("has it taken out over the borders of chunks", () =>
    Effect.gen(function*() {
      const { body } = yield* reflecting((secret, outgoing) => {
        const pieces = Array.from(`a ${secret} b`)
        const next = () => {
          const piece = pieces.shift()
          if (piece === undefined) return void outgoing.end()
          outgoing.write(piece, () => setImmediate(next))
        }
        next()
      })
      assert.strictEqual(body, "a [REDACTED] b")
    }))

  it.scopedLive("has it taken out of what is packed, binary, or in another charset", () =>
    Effect.gen(function*() {
      const packed = yield* reflecting((secret, outgoing) => {
        outgoing.writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" })
        outgoing.end(gzipSync(`a ${secret} b`))
      })
      assert.strictEqual(packed["body"], "a [REDACTED] b")
      const binary = yield* reflecting((secret, outgoing) => {
        outgoing.writeHead(200, { "content-type": "application/octet-stream" })
        outgoing.end(Buffer.concat([Buffer.of(0, 255, 1), Buffer.from(secret), Buffer.of(0, 255)]))
      })
      assert.deepStrictEqual(
        Buffer.from(String(binary["body"]), "base64"),
        Buffer.concat([Buffer.of(0, 255, 1), Buffer.from("[REDACTED]"), Buffer.of(0, 255)])
      )
      const wide = yield* reflecting((secret, outgoing) => {
        outgoing.writeHead(200, { "content-type": "text/plain; charset=utf-16le" })
        outgoing.end(Buffer.from(`a ${secret} b`, "utf16le"))
      })
      assert.notInclude(String(wide["body"]), secret)
    }))

  it.scopedLive("cannot have the agent unpack it, or put it together from parts", () =>
    Effect.gen(function*() {
      const { add, failing, received } = yield* setup((_received, outgoing) => {
        outgoing.writeHead(200, { "content-encoding": "zstd" }).end("packed")
      })
      yield* add()
      for (const name of ["Accept-Encoding", "Range", "If-Range"]) {
        const found = yield* failing({ headers: { [name]: "x" } })
        assert.deepInclude(found, { _tag: "InvalidInput", field: "headers" })
      }
      assert.strictEqual(received.length, 0)
      assert.deepInclude(yield* failing(), {
        _tag: "CapabilityError",
        type: "RequestFailed",
        context: { reason: "broken_off" }
      })
    }))

  it.scopedLive("has it in no error that comes of what it sends", () =>
    Effect.gen(function*() {
      const server = yield* serveTcp((socket) => {
        socket.once("data", (data) => socket.end(`HTTP/1.1 abc ${data.toString("latin1")}\r\n\r\n`))
      })
      const { add, invoke } = yield* testVault()
      yield* add({ value: Redacted.make(plain) })
      const url = `http://127.0.0.1:${server.port}/`
      const placements = [undefined, { type: "query", name: "key", format: "{secret}" }]
      for (const credential_placement of placements) {
        const failure = yield* Effect.flip(invoke(credentialed, {
          url,
          secret_name: "token",
          ...(credential_placement === undefined ? {} : { credential_placement })
        }))
        assert.deepInclude(failure, { _tag: "CapabilityError", type: "RequestFailed" })
        assert.notInclude(everythingOf(failure), plain)
        assert.notInclude(everythingOf(failure), Buffer.from(plain).toString("base64").slice(4, 16))
      }
    }))
})

describe("redirects", () => {
  it.scopedLive("are followed within the origin, and otherwise are the answer", () =>
    Effect.gen(function*() {
      const other = yield* serveHttp((_incoming, outgoing) => void outgoing.end("other"))
      const { add, received, request, url } = yield* setup((asked, outgoing) => {
        switch (asked.url) {
          case "/old":
            return outgoing.writeHead(307, { location: "/new" }).end("moved")
          case "/new":
            return outgoing.end("new")
          default:
            return outgoing.writeHead(302, { location: `http://127.0.0.1:${other.port}/` }).end("elsewhere")
        }
      })
      yield* add()
      assert.deepInclude(yield* request({ url: `${url}/old` }), { status_code: 200, body: "new" })
      assert.deepStrictEqual(received.map(({ headers }) => headers.authorization), [
        `Bearer ${plain}`,
        `Bearer ${plain}`
      ])
      assert.deepInclude(yield* request({ url: `${url}/away` }), { status_code: 302, body: "elsewhere" })
      assert.strictEqual(other.connections(), 0)
    }))

  it.scopedLive("are followed ten times at most", () =>
    Effect.gen(function*() {
      const { add, received, request } = yield* setup((_asked, outgoing) =>
        outgoing.writeHead(302, { location: "/again" }).end()
      )
      yield* add()
      assert.strictEqual((yield* request())["status_code"], 302)
      assert.strictEqual(received.length, 11)
    }))
})

describe("what is refused before anything is sent", () => {
  it.scopedLive("is a secret that is not there, was revoked, or is another agent's: all alike", () =>
    Effect.gen(function*() {
      const { add, failing, keeping, received, uses } = yield* setup()
      yield* add()
      yield* add({ name: "gone" })
      yield* keeping.revoke("gone")
      const failures = [
        yield* failing({ secret_name: "missing" }),
        yield* failing({ secret_name: "gone" }),
        yield* failing({}, "other")
      ]
      for (const failure of failures) assert.deepInclude(failure, { _tag: "SecretNotFound" })
      assert.strictEqual(new Set(failures.map(({ message }) => message)).size, 1)
      assert.strictEqual(received.length, 0)
      assert.deepInclude((yield* uses)[2], {
        agent: "other",
        details: { secret: "token", host: "127.0.0.1", outcome: "denied", reason: "not_found" }
      })
    }))

  it.scopedLive("is a secret for something else", () =>
    Effect.gen(function*() {
      const { add, failing, received, request, uses } = yield* setup()
      yield* add({ capabilities: ["git.push"] })
      yield* add({ name: "nothing", capabilities: [] })
      yield* add({ name: "nowhere", hosts: [] })
      for (const secret_name of ["token", "nothing", "nowhere"]) {
        assert.deepInclude(yield* failing({ secret_name }), { _tag: "ScopeViolation", secretName: secret_name })
      }
      assert.strictEqual(received.length, 0)
      yield* add({ name: "category", capabilities: ["network.*"] })
      yield* request({ secret_name: "category" })
      assert.strictEqual(received.length, 1)
      assert.deepInclude((yield* uses)[0], {
        details: { secret: "token", host: "127.0.0.1", outcome: "denied", reason: "out_of_scope" }
      })
    }))

  it.scopedLive("is a host that the secret, or the policy, does not name", () =>
    Effect.gen(function*() {
      const { add, failing, received, url, uses } = yield* setup(undefined, {
        allow: ["public.example"],
        names: { "public.example": ["127.0.0.1"] }
      })
      yield* add({ hosts: ["api.example.com", "127.0.0.1:1"] })
      yield* add({ name: "wide", hosts: ["127.0.0.1", "127.0.0.2", "public.example"] })
      assert.deepInclude(yield* failing(), { _tag: "HostNotAllowed", host: "127.0.0.1", secretName: "token" })
      const wide = { secret_name: "wide" }
      const host = (name: string) => url.replace("127.0.0.1", name)
      assert.deepInclude(yield* failing({ ...wide, url: host("127.0.0.2") }), { _tag: "HostNotAllowed" })
      // Not encrypted, and then at an address that is not its own.
      assert.match((yield* failing({ ...wide, url: host("public.example") })).message, /unencrypted/)
      const secure = yield* failing({ ...wide, url: host("public.example").replace("http:", "https:") })
      assert.deepInclude(secure, { _tag: "HostNotAllowed", host: "public.example" })
      assert.strictEqual(received.length, 0)
      assert.deepInclude((yield* uses)[0], {
        details: { secret: "token", host: "127.0.0.1", outcome: "denied", reason: "host_not_allowed" }
      })
    }))

  it.scopedLive("is a request that cannot be sent", () =>
    Effect.gen(function*() {
      const { add, failing, received, url, uses } = yield* setup()
      yield* add()
      yield* add({ name: "wide", value: Redacted.make("Snowman ☃ of eight") })
      const query = { type: "query", name: "key", format: "{secret}" }
      const bad: ReadonlyArray<readonly [string, { readonly [name: string]: unknown }]> = [
        ["headers", { headers: { authorization: "mine" } }],
        ["headers", { headers: { "a b": "1" } }],
        ["url", { url: "ftp://127.0.0.1/" }],
        ["url", { url: "nothing" }],
        ["url", { url: `${url}/?key=1`, credential_placement: query }],
        ["credential_placement", { credential_placement: { ...query, name: "" } }],
        ["credential_placement", { credential_placement: { type: "header", name: "Range", format: "{secret}" } }],
        ["headers", { credential_placement: { type: "header", name: "Host", format: "{secret}" } }],
        ["credential_placement.format", { credential_placement: { ...query, format: "none" } }],
        ["credential_placement.format", { credential_placement: { ...query, format: "{secret}{secret}" } }],
        ["timeout", { timeout: 0 }],
        ["timeout", { timeout: 301 }],
        ["method", { method: "OPTIONS" }]
      ]
      for (const [field, input] of bad) {
        const failure = yield* failing(input)
        assert.deepInclude(failure, { _tag: "InvalidInput" }, field)
        assert.include(String("field" in failure ? failure.field : ""), field.split(".")[0] ?? "")
      }
      assert.deepStrictEqual(yield* uses, [])
      const wide = yield* failing({ secret_name: "wide" })
      assert.deepInclude(wide, { _tag: "InvalidInput", field: "credential_placement" })
      assert.notInclude(everythingOf(wide), "Snowman")
      assert.strictEqual(received.length, 0)
    }))
})

describe("an answer", () => {
  it.scopedLive("that does not come is RequestFailed, and says whether to try again", () =>
    Effect.gen(function*() {
      const { add, failing } = yield* setup(() => undefined)
      yield* add()
      for (const [method, retryable] of [["GET", true], ["POST", false]] as const) {
        assert.deepInclude(yield* failing({ timeout: 1, method }), {
          _tag: "CapabilityError",
          type: "RequestFailed",
          retryable,
          context: { reason: "timeout" }
        })
      }
    }))

  it.scopedLive("of more than 10 MiB is ResourceExhausted", () =>
    Effect.gen(function*() {
      const { add, failing } = yield* setup((_asked, outgoing) => outgoing.end(Buffer.alloc(11 * 1024 * 1024)))
      yield* add()
      assert.deepInclude(yield* failing(), { _tag: "ResourceExhausted", resource: "response body" })
    }))
})
