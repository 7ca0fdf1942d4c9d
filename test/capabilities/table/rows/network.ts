import { assert, expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { serveHttp, serveTcp } from "../../../local/egress/servers.js"
import { failing, type Row, type Table } from "../Row.js"
import { knownHost } from "../World.js"
import { credentialedRequest } from "./secrets.js"

const body = "what is served"

const server = serveHttp((request, response) => {
  const [, hops] = /^\/hops\/(\d+)$/.exec(request.url ?? "") ?? []
  if (hops !== undefined && hops !== "0") {
    response.writeHead(302, { location: `/hops/${Number(hops) - 1}` }).end()
    return
  }
  response.setHeader("x-method", request.method ?? "")
  response.end(request.method === "HEAD" ? undefined : body)
})

// Nobody listens there any more.
const closedPort = Effect.scoped(Effect.map(serveTcp(() => undefined), ({ port }) => port))

const away = "http://198.51.100.7/"

const digest = createHash("sha256").update(body).digest("hex")

const refusing =
  (name: "network.http_request" | "network.port_check", input: object, field: string): Row => ({ invokeDynamic }) =>
    Effect.map(Effect.flip(invokeDynamic(name, { ...input })), (error) => {
      expect(error).toMatchObject({ _tag: "InvalidInput", field })
    })

export const network: Table<"network"> = {
  ...credentialedRequest,
  "network.http_request": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const { port } = yield* server
        const url = `http://127.0.0.1:${port}/hops/2`
        const answer = yield* invoke("network.http_request", { url, method: "POST", body: "sent" })
        expect(answer).toMatchObject({ status_code: 200, body, url: `http://127.0.0.1:${port}/hops/0` })
        const first = yield* invoke("network.http_request", { url, follow_redirects: false })
        expect(first).toMatchObject({ status_code: 302, url })
      }),
    errors: {
      DomainNotAllowed: ({ invoke }) =>
        failing(invoke("network.http_request", { url: away }), { domain: "198.51.100.7" }),
      InvalidUrl: ({ invoke }) =>
        failing(invoke("network.http_request", { url: "http://" }), { _tag: "InvalidInput", field: "url" }),
      RequestFailed: ({ invoke }) =>
        Effect.gen(function*() {
          const url = `http://127.0.0.1:${yield* closedPort}/`
          return yield* failing(invoke("network.http_request", { url }), { url, retryable: true })
        }),
      InvalidMethod: ({ invokeDynamic }) =>
        failing(invokeDynamic("network.http_request", { url: "http://127.0.0.1/", method: "BREW" }), {
          _tag: "InvalidInput",
          field: "method"
        })
    },
    limits: {
      "waits for 300 seconds at most": refusing(
        "network.http_request",
        { url: "http://127.0.0.1/", timeout: 301 },
        "timeout"
      ),
      "follows 10 redirects": ({ invoke }) =>
        Effect.gen(function*() {
          const { port } = yield* server
          const to = (hops: number) => invoke("network.http_request", { url: `http://127.0.0.1:${port}/hops/${hops}` })
          assert.strictEqual((yield* to(10)).status_code, 200)
          assert.strictEqual((yield* Effect.flip(to(11)))._tag, "RequestFailed")
        }),
      "ignores the body of GET and HEAD": ({ invoke }) =>
        Effect.gen(function*() {
          const lengths: Array<string | undefined> = []
          const { port } = yield* serveHttp((request, response) => {
            lengths.push(request.headers["content-length"])
            response.end()
          })
          for (const method of ["GET", "HEAD"] as const) {
            yield* invoke("network.http_request", { url: `http://127.0.0.1:${port}/`, method, body: "ignored" })
          }
          assert.deepStrictEqual(lengths, [undefined, undefined])
        }),
      "gives what is not text in base64": ({ invoke }) =>
        Effect.gen(function*() {
          const bytes = Buffer.from([0x89, 0x50, 0xff, 0x00])
          const { port } = yield* serveHttp((_request, response) => {
            response.setHeader("content-type", "image/png").end(bytes)
          })
          const answer = yield* invoke("network.http_request", { url: `http://127.0.0.1:${port}/` })
          assert.strictEqual(answer.body, bytes.toString("base64"))
        })
    }
  },
  "network.dns_lookup": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const found = yield* invoke("network.dns_lookup", { hostname: knownHost.name })
        assert.deepStrictEqual(found, { addresses: [knownHost.address], hostname: knownHost.name })
      }),
    errors: {
      DnsResolutionFailed: ({ invoke }) =>
        failing(invoke("network.dns_lookup", { hostname: "nobody.test" }), { hostname: "nobody.test", retryable: true })
    }
  },
  "network.download": {
    success: ({ directory, invoke, text }) =>
      Effect.gen(function*() {
        const { port } = yield* server
        const path = `${directory}/page`
        const input = { url: `http://127.0.0.1:${port}/`, path, expected_checksum: digest }
        expect(yield* invoke("network.download", input)).toMatchObject({
          path: `/workspace/${path}`,
          size: body.length,
          checksum: digest
        })
        assert.strictEqual(text(path), body)
      }),
    errors: {
      DomainNotAllowed: ({ directory, invoke }) =>
        failing(invoke("network.download", { url: away, path: `${directory}/a` }), { domain: "198.51.100.7" }),
      InvalidUrl: ({ directory, invoke }) =>
        failing(invoke("network.download", { url: "ftp://127.0.0.1/", path: `${directory}/a` }), {
          _tag: "InvalidInput",
          field: "url"
        }),
      PathOutOfScope: ({ invoke }) =>
        failing(invoke("network.download", { url: "http://127.0.0.1:1/", path: "/tmp/a" }), { path: "/tmp/a" }),
      DestinationExists: ({ directory, invoke, put }) =>
        Effect.gen(function*() {
          const { port } = yield* server
          put(`${directory}/a`, "mine")
          return yield* failing(
            invoke("network.download", { url: `http://127.0.0.1:${port}/`, path: `${directory}/a` }),
            { path: `/workspace/${directory}/a` }
          )
        }),
      ChecksumMismatch: ({ directory, invoke }) =>
        Effect.gen(function*() {
          const { port } = yield* server
          const expected = "0".repeat(64)
          const input = { url: `http://127.0.0.1:${port}/`, path: `${directory}/a`, expected_checksum: expected }
          return yield* failing(invoke("network.download", input), { expected, actual: digest })
        }),
      DownloadFailed: ({ directory, invoke }) =>
        Effect.gen(function*() {
          const url = `http://127.0.0.1:${yield* closedPort}/`
          return yield* failing(invoke("network.download", { url, path: `${directory}/a` }), { url, retryable: true })
        })
    },
    limits: {
      "leaves no file on a checksum mismatch": ({ directory, host, invoke }) =>
        Effect.gen(function*() {
          const { port } = yield* server
          const input = { url: `http://127.0.0.1:${port}/`, path: `${directory}/a`, expected_checksum: "0".repeat(64) }
          yield* Effect.flip(invoke("network.download", input))
          assert.deepStrictEqual(fs.readdirSync(host(directory)), [])
        })
    }
  },
  "network.port_check": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const { port } = yield* server
        const seen = yield* invoke("network.port_check", { host: "127.0.0.1", port })
        expect(seen).toMatchObject({ open: true, host: "127.0.0.1", port })
        const closed = yield* closedPort
        const unseen = yield* invoke("network.port_check", { host: "127.0.0.1", port: closed })
        assert.deepStrictEqual(unseen, { open: false, latency_ms: null, host: "127.0.0.1", port: closed })
      }),
    errors: {
      InvalidPort: ({ invokeDynamic }) =>
        failing(invokeDynamic("network.port_check", { host: "127.0.0.1", port: 65_536 }), {
          _tag: "InvalidInput",
          field: "port"
        }),
      ConnectionFailed: ({ invoke }) =>
        failing(invoke("network.port_check", { host: "nobody.test", port: 80 }), {
          _tag: "PortCheckFailed",
          host: "nobody.test",
          port: 80
        })
    },
    limits: {
      "takes no port 0": refusing("network.port_check", { host: "127.0.0.1", port: 0 }, "port"),
      "waits for 30 seconds at most": refusing(
        "network.port_check",
        { host: "127.0.0.1", port: 1, timeout: 31 },
        "timeout"
      )
    }
  }
}
