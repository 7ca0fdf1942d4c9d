import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { within } from "../../support/deadline.js"
import { serve } from "../../support/gateway.js"
import { asSupervisor } from "../../support/supervisor.js"
import { serveCustom } from "../protocol/customGateway.js"

const files = {
  "index.html": "<!doctype html><title>é</title>",
  "page.js": "export {}",
  "page.css": "body {}",
  "icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>"
}

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "kruxos-page-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

const build = (folder: string) => {
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(join(folder, name), text)
}

interface Answered {
  readonly status: number
  readonly headers: { readonly [name: string]: unknown }
  readonly text: string
}

/** A request with just these headers. */
const ask = (
  { port }: { readonly port: number },
  path: string,
  { headers = {}, method = "GET" }: { readonly headers?: Record<string, string>; readonly method?: string } = {}
) =>
  Effect.async<Answered>((resume) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers, agent: false })
    asked.on("response", (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk
      })
      response.on("end", () =>
        resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, text })))
    })
    asked.on("error", (cause) =>
      resume(Effect.die(cause)))
    asked.end()
  }).pipe(within(`the answer to ${method} ${path}`))

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

const safety = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin"
}

describe("the supervisors' page", () => {
  it.scopedLive("is there without a token, and may do nothing but what it needs", () =>
    Effect.gen(function*() {
      const pageDirectory = yield* temporaryFolder
      build(pageDirectory)
      const gateway = yield* serveCustom({ builtIn: false, pageDirectory })
      const cases = [
        ["/", "index.html", "text/html; charset=utf-8"],
        ["/?x=1", "index.html", "text/html; charset=utf-8"],
        ["/page.js", "page.js", "text/javascript; charset=utf-8"],
        ["/page.css", "page.css", "text/css; charset=utf-8"],
        ["/icon.svg", "icon.svg", "image/svg+xml"]
      ] as const
      for (const [path, name, contentType] of cases) {
        const { headers, status, text } = yield* ask(gateway, path)
        assert.strictEqual(status, 200)
        assert.strictEqual(text, files[name])
        assert.deepInclude(headers, { ...safety, "content-type": contentType, "cache-control": "no-cache" })
        assert.match(String(headers["permissions-policy"]), /camera=\(\).*microphone=\(\)/)
        assert.notProperty(headers, "set-cookie")
        assert.notProperty(headers, "access-control-allow-origin")

        const tag = String(headers["etag"])
        for (const wanted of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
          const unchanged = yield* ask(gateway, path, { headers: { "if-none-match": wanted } })
          assert.strictEqual(unchanged.status, 304)
          assert.strictEqual(unchanged.text, "")
          assert.deepInclude(unchanged.headers, { ...safety, etag: tag })
        }
        assert.strictEqual((yield* ask(gateway, path, { headers: { "if-none-match": "\"other\"" } })).status, 200)

        const head = yield* ask(gateway, path, { method: "HEAD" })
        assert.strictEqual(head.status, 200)
        assert.strictEqual(head.text, "")
        assert.deepInclude(head.headers, {
          ...safety,
          etag: tag,
          "content-type": contentType,
          "content-length": String(Buffer.byteLength(files[name]))
        })
        for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
          const refused = yield* ask(gateway, path, { method })
          assert.strictEqual(refused.status, 405)
          assert.deepInclude(refused.headers, { ...safety, allow: "GET, HEAD" })
        }
      }
    }))

  it.scopedLive("is not for other websites, nor under another name", () =>
    Effect.gen(function*() {
      const pageDirectory = yield* temporaryFolder
      build(pageDirectory)
      const gateway = yield* serveCustom({ builtIn: false, pageDirectory })
      const own = `127.0.0.1:${gateway.port}`
      const cases: ReadonlyArray<readonly [headers: Record<string, string>, status: number]> = [
        [{ host: own, origin: `http://${own}` }, 200],
        [{ host: `localhost:${gateway.port}` }, 200],
        [{ host: "evil.example" }, 403],
        [{ host: `evil.example:${gateway.port}` }, 403],
        [{ host: `127.0.0.1.evil.example:${gateway.port}` }, 403],
        [{ host: own, origin: "http://evil.example" }, 403],
        [{ host: own, origin: "null" }, 403]
      ]
      for (const path of ["/", "/page.js", "/page.css", "/icon.svg"]) {
        for (const [headers, expected] of cases) {
          const answered = yield* ask(gateway, path, { headers })
          assert.strictEqual(answered.status, expected, JSON.stringify(headers))
          assert.deepInclude(answered.headers, safety)
          if (expected === 403) assert.notInclude(answered.text, "<")
        }
      }
    }))

  it.scopedLive("serves no other file", () =>
    Effect.gen(function*() {
      const pageDirectory = yield* temporaryFolder
      build(pageDirectory)
      fs.writeFileSync(join(pageDirectory, "secret.txt"), "secret")
      const gateway = yield* serveCustom({ builtIn: false, pageDirectory })
      const paths = [
        "/index.html",
        "/secret.txt",
        "/page.js/",
        "/PAGE.JS",
        "/page.js.map",
        "/favicon.ico",
        "/%2e%2e/secret.txt",
        "/page.js%00.txt",
        "/../../etc/passwd"
      ]
      for (const path of paths) {
        const { status, text } = yield* ask(gateway, path)
        assert.strictEqual(status, 404, path)
        assert.notInclude(text, "secret")
      }
    }))

  it.scopedLive("says what to do where it is not built, and is there as soon as it is", () =>
    Effect.gen(function*() {
      const pageDirectory = join(yield* temporaryFolder, "built")
      const gateway = yield* serveCustom({ builtIn: false, pageDirectory })
      for (const path of ["/", "/page.js"]) {
        const { headers, status, text } = yield* ask(gateway, path)
        assert.strictEqual(status, 503)
        assert.include(text, "npm run build:page")
        assert.deepInclude(headers, { ...safety, "content-type": "text/plain; charset=utf-8" })
        assert.notInclude(text, pageDirectory)
      }
      assert.strictEqual((yield* asSupervisor(gateway, "/status")).status, 200)
      fs.mkdirSync(pageDirectory)
      build(pageDirectory)
      assert.strictEqual((yield* ask(gateway, "/")).status, 200)
      fs.rmSync(pageDirectory, { recursive: true })
      assert.strictEqual((yield* ask(gateway, "/page.js")).text, files["page.js"])
    }))

  it.scopedLive("has an address that carries the token where no request does", () =>
    Effect.gen(function*() {
      const gateway = yield* serve()
      const url = new URL(gateway.page)
      assert.strictEqual(url.href.split("#")[0], gateway.api.replace("/api", "/"))
      assert.strictEqual(url.hash, `#token=${gateway.supervisorToken}`)
      assert.strictEqual(url.search, "")
    }))
})
