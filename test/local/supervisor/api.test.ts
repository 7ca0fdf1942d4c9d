import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as fs from "node:fs"
import { request } from "node:http"
import { join } from "node:path"
import * as LocalGateway from "../../../src/local/LocalGateway.js"
import { Agents } from "../../../src/local/store/Agents.js"
import { until, within } from "../../support/deadline.js"
import { folders, Gateway, layer as gatewayLayer, quietly, serve, type TestGateway } from "../../support/gateway.js"
import { at, listAt, textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import * as RawSocket from "../../support/rawSocket.js"
import { type AskOptions, asSupervisor } from "../../support/supervisor.js"

/** The id of a request for approval of a deletion, which needs one by default. */
const askToDelete = (gateway: TestGateway, path: string, key?: string) =>
  Effect.map(
    rpc(gateway, "capabilities.invoke", { capability: "filesystem.delete", arguments: { path } }, key),
    (answer) => textAt(answer, "result", "error", "context", "approval_id")
  )

const post = (path: string, options: AskOptions = {}) => (gateway: TestGateway) =>
  asSupervisor(gateway, path, { method: "POST", ...options })

/** A request with headers that `fetch` keeps for itself. */
const withHeaders = ({ api, supervisorToken }: TestGateway, headers: Record<string, string>) =>
  Effect.async<number | undefined>((resume) => {
    const asked = request(`${api}/approvals`, { headers: { authorization: `Bearer ${supervisorToken}`, ...headers } })
    asked.on("response", (response) => resume(Effect.succeed(response.resume().statusCode)))
    asked.on("error", (cause) => resume(Effect.die(cause)))
    asked.end()
  }).pipe(within("the answer"))

layer(gatewayLayer({ policy: "enterprise-restrictive" }), { excludeTestServices: true })(
  "the supervisor's API",
  (it) => {
    it.effect("lists, shows and decides", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        fs.writeFileSync(join(gateway.workspace, "a.txt"), "a")
        const id = yield* askToDelete(gateway, "/workspace/a.txt")
        const pending = yield* asSupervisor(gateway, "/approvals?status=pending")
        assert.strictEqual(pending.status, 200)
        const [listed] = listAt(pending.body, "approvals")
        assert.strictEqual(at(pending.body, "total"), 1)
        assert.deepInclude(listed, {
          id,
          agent: "agent",
          capability: "filesystem.delete",
          arguments: { path: "/workspace/a.txt" },
          status: "pending"
        })
        assert.match(textAt(listed, "digest"), /^[0-9a-f]{64}$/)
        for (const name of ["rule", "reason", "created_at", "expires_at"]) assert.isNotEmpty(textAt(listed, name))
        assert.isUndefined(at(listed, "decided_at"))
        assert.deepStrictEqual((yield* asSupervisor(gateway, `/approvals/${id}`)).body, listed)

        const approved = yield* post(`/approvals/${id}/approve`)(gateway)
        assert.strictEqual(approved.status, 200)
        assert.deepInclude(approved.body, { id, status: "running", decided_by: "supervisor" })
        yield* until(
          "the deletion",
          Effect.map(asSupervisor(gateway, `/approvals/${id}`), ({ body }) => at(body, "status") === "approved")
        )
        assert.isFalse(fs.existsSync(join(gateway.workspace, "a.txt")))
        const shown = (yield* asSupervisor(gateway, `/approvals/${id}`)).body
        assert.deepInclude(shown, { status: "approved", success: true })
        assert.isNotEmpty(textAt(shown, "decided_at"))

        for (const verdict of ["approve", "reject"]) {
          const late = yield* post(`/approvals/${id}/${verdict}`)(gateway)
          assert.strictEqual(late.status, 409)
          assert.strictEqual(at(late.body, "status"), "approved")
          assert.include(textAt(late.body, "error"), "approved")
        }
        const missing = yield* askToDelete(gateway, "/workspace/none.txt")
        yield* post(`/approvals/${missing}/approve`, { body: {} })(gateway)
        yield* until(
          "the failure",
          Effect.map(asSupervisor(gateway, `/approvals/${missing}`), ({ body }) => at(body, "success") === false)
        )
      }))

    it.effect("gives a reason, or a default one", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const reasons = yield* Effect.forEach(
          [{ reason: "no" }, { reason: " " }, { reason: null }, undefined],
          (body) =>
            Effect.gen(function*() {
              const id = yield* askToDelete(gateway, `/workspace/${JSON.stringify(body) ?? "nothing"}`)
              const { body: answer, status } = yield* post(`/approvals/${id}/reject`, { body })(gateway)
              assert.strictEqual(status, 200)
              assert.strictEqual(at(answer, "status"), "rejected")
              return at(answer, "decision_reason")
            })
        )
        const fallback = "The supervisor gave no reason"
        assert.deepStrictEqual(reasons, ["no", fallback, fallback, fallback])
      }))

    it.effect("shows a list in parts, and leaves long arguments out of it", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const key = yield* gateway.addAgent("many")
        const ids = yield* Effect.forEach(["1", "2", "3"], (name) => askToDelete(gateway, `/workspace/${name}`, key))
        const written = yield* rpc(gateway, "capabilities.invoke", {
          capability: "filesystem.write",
          arguments: { path: "/workspace/long.txt", content: "x".repeat(40_000) }
        }, key)
        const long = textAt(written, "result", "error", "context", "approval_id")
        const all = (yield* asSupervisor(gateway, "/approvals?status=pending&limit=1000")).body
        const views = listAt(all, "approvals")
        assert.strictEqual(at(all, "total"), views.length)
        const found = views.find((view) => at(view, "id") === long)
        assert.isNull(at(found, "arguments"))
        assert.isAbove(Number(at(found, "arguments_length")), 40_000)
        assert.include(textAt((yield* asSupervisor(gateway, `/approvals/${long}`)).body, "arguments", "content"), "xxx")
        const parts = yield* Effect.forEach(
          views.map((_, offset) => offset),
          (offset) => asSupervisor(gateway, `/approvals?status=pending&limit=1&offset=${offset}`)
        )
        assert.deepStrictEqual(
          parts.map(({ body }) => at(body, "approvals", 0, "id")),
          views.map((view) => at(view, "id"))
        )
        for (const { body } of parts) assert.strictEqual(at(body, "total"), views.length)
        assert.includeMembers(views.map((view) => at(view, "id")), ids)
      }))

    it.effect("is only for its supervisor", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const id = yield* askToDelete(gateway, "/workspace/b.txt")
        const revoked = yield* gateway.addAgent("gone")
        yield* gateway.inStore(Effect.orDie(Effect.flatMap(Agents, (agents) => agents.revoke("gone"))))
        const cases: ReadonlyArray<readonly [token: string | null, status: number]> = [
          [null, 401],
          ["", 401],
          ["krx_user_", 401],
          [`${gateway.supervisorToken}x`, 401],
          ["f".repeat(64), 401],
          [gateway.key, 403],
          [revoked, 403]
        ]
        for (const [token, expected] of cases) {
          for (const path of ["/approvals", `/approvals/${id}`, "/nothing"]) {
            assert.strictEqual((yield* asSupervisor(gateway, path, { token })).status, expected)
          }
          for (const verdict of ["approve", "reject"]) {
            const { body, headers, status } = yield* post(`/approvals/${id}/${verdict}`, { token })(gateway)
            assert.strictEqual(status, expected)
            assert.isNotEmpty(textAt(body, "error"))
            assert.strictEqual(headers.get("www-authenticate"), expected === 401 ? "Bearer" : null)
          }
        }
        const inUrl = yield* asSupervisor(gateway, `/approvals?token=${gateway.supervisorToken}`, { token: null })
        assert.strictEqual(inUrl.status, 401)
        assert.strictEqual(at((yield* asSupervisor(gateway, `/approvals/${id}`)).body, "status"), "pending")
      }))

    it.effect("gives its supervisor nothing of an agent's", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        assert.strictEqual(
          at(yield* rpc(gateway, "capabilities.list", {}, gateway.supervisorToken), "error", "data", "error_type"),
          "auth.invalid_credentials"
        )
        const refused = yield* Effect.flip(RawSocket.open(gateway.url, { key: gateway.supervisorToken }))
        assert.strictEqual(refused.status, 401)
      }).pipe(Effect.scoped))

    it.effect("is not for websites, nor under another name", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const own = `127.0.0.1:${gateway.port}`
        const cases: ReadonlyArray<readonly [headers: Record<string, string>, status: number]> = [
          [{}, 200],
          [{ host: "localhost:1" }, 200],
          [{ host: "[::1]:7700" }, 200],
          [{ host: own, origin: `http://${own}` }, 200],
          [{ host: "evil.example" }, 403],
          [{ host: `127.0.0.1.evil.example:${gateway.port}` }, 403],
          [{ host: "10.0.0.1" }, 403],
          [{ host: "a b" }, 403],
          [{ origin: "http://evil.example" }, 403],
          [{ origin: "http://localhost:3000" }, 403],
          [{ origin: "null" }, 403]
        ]
        for (const [headers, expected] of cases) {
          assert.strictEqual(yield* withHeaders(gateway, headers), expected, JSON.stringify(headers))
        }
        const { headers } = yield* asSupervisor(gateway, "/approvals")
        assert.deepStrictEqual([...headers.keys()].filter((name) => name.startsWith("access-control")), [])
        assert.strictEqual(headers.get("cache-control"), "no-store")
        assert.strictEqual(headers.get("content-type"), "application/json")
        assert.strictEqual((yield* asSupervisor(gateway, "/approvals", { method: "OPTIONS" })).status, 405)
      }))

    it.effect("says what is wrong with a request", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const id = yield* askToDelete(gateway, "/workspace/c.txt")
        const approve = `/approvals/${id}/approve`
        const cases: ReadonlyArray<readonly [path: string, options: AskOptions, status: number]> = [
          ["/approvals/apr-unknown", {}, 404],
          ["/approvals/", {}, 404],
          ["/approvals/a%00b", {}, 404],
          [`/approvals/${"x".repeat(5000)}`, {}, 404],
          ["/approvals/apr-unknown/approve", { method: "POST" }, 404],
          ["/approvals/apr-unknown/reject", { method: "POST", body: {} }, 404],
          [`/approvals/${id}/delete`, {}, 404],
          [`${approve}/more`, { method: "POST" }, 404],
          ["/nothing", {}, 404],
          ["/approvals/%ff", {}, 404],
          ["//approvals", {}, 404],
          ["", {}, 404],
          ["/approvals", { method: "POST" }, 405],
          ["/approvals", { method: "HEAD" }, 405],
          [`/approvals/${id}`, { method: "DELETE" }, 405],
          [approve, {}, 405],
          ["/approvals?status=maybe", {}, 400],
          ["/approvals?limit=0", {}, 400],
          ["/approvals?limit=1001", {}, 400],
          ["/approvals?offset=-1", {}, 400],
          ["/approvals?limit=1e2.5", {}, 400],
          ["/approvals?limit=0x10", {}, 400],
          ["/approvals?limit=%2010", {}, 400],
          ["/approvals?limit=1&limit=2", {}, 400],
          ["/approvals?agent=a%20b", {}, 400],
          ["/approvals?state=pending", {}, 400],
          [approve, { method: "POST", body: "{" }, 400],
          [approve, { method: "POST", body: "[]" }, 400],
          [approve, { method: "POST", body: "null" }, 400],
          [approve, { method: "POST", body: { reason: 1 } }, 400],
          [approve, { method: "POST", body: { reason: "x".repeat(4001) } }, 400],
          [approve, { method: "POST", body: { arguments: { path: "/workspace/other" } } }, 400],
          [approve, { method: "POST", body: "[".repeat(60_000) }, 400],
          [approve, { method: "POST", body: "{}", headers: { "content-type": "text/plain" } }, 415],
          [approve, { method: "POST", body: { reason: "x".repeat(70_000) } }, 413]
        ]
        for (const [path, options, expected] of cases) {
          const { body, headers, status } = yield* asSupervisor(gateway, path, options)
          assert.strictEqual(status, expected, `${options.method ?? "GET"} ${path.slice(0, 100)}`)
          assert.strictEqual(headers.get("cache-control"), "no-store")
          if (options.method !== "HEAD") assert.isNotEmpty(textAt(body, "error"))
        }
        assert.strictEqual(at((yield* asSupervisor(gateway, `/approvals/${id}`)).body, "status"), "pending")
      }))

    it.effect("lets exactly one of many decide", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const id = yield* askToDelete(gateway, "/workspace/d.txt")
        const answers = yield* Effect.all(
          Array.from(
            { length: 30 },
            (_, index) => post(`/approvals/${id}/${index % 2 === 0 ? "approve" : "reject"}`)(gateway)
          ),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          answers.map(({ status }) => status).sort((one, other) => one - other),
          [200, ...Array.from({ length: 29 }, () => 409)]
        )
      }))
  }
)

describe("a supervisor's token", () => {
  it.scopedLive("is the same at every start; where its file is deleted another one takes its place", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const file = join(used.dataDirectory, "supervisor.token")
      const started = Effect.map(LocalGateway.serve({ ...used, port: 0 }), ({ api, supervisorToken }) => ({
        api,
        supervisorToken: Redacted.value(supervisorToken)
      }))
      const first = yield* Effect.scoped(started)
      assert.strictEqual(fs.readFileSync(file, "utf8"), `${first.supervisorToken}\n`)
      assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
      const database = fs.readdirSync(used.dataDirectory).filter((name) => name.startsWith("gateway.db"))
      for (const name of database) {
        assert.notInclude(fs.readFileSync(join(used.dataDirectory, name), "latin1"), first.supervisorToken)
      }
      yield* Effect.scoped(Effect.gen(function*() {
        const both = yield* Effect.all([started, started])
        for (const gateway of both) {
          assert.strictEqual(gateway.supervisorToken, first.supervisorToken)
          assert.strictEqual((yield* asSupervisor(gateway, "/approvals")).status, 200)
        }
      }))
      fs.rmSync(file)
      const second = yield* started
      assert.notStrictEqual(second.supervisorToken, first.supervisorToken)
      assert.strictEqual((yield* asSupervisor(second, "/approvals")).status, 200)
      const old = { ...second, supervisorToken: first.supervisorToken }
      assert.strictEqual((yield* asSupervisor(old, "/approvals")).status, 401)
      fs.writeFileSync(file, "nonsense\n")
      const refused = yield* Effect.flip(started)
      assert.strictEqual(refused._tag, "DataDirectoryUnavailable")
      assert.include(refused.message, "delete the file")
    }).pipe(quietly))

  it.scopedLive("is made once where several gateways start together", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const gateways = yield* Effect.all(
        Array.from({ length: 5 }, () => serve({ ...used, agent: "agent", apiKey: Redacted.make("a".repeat(64)) })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(gateways.map(({ supervisorToken }) => supervisorToken)).size, 1)
      for (const gateway of gateways) assert.strictEqual((yield* asSupervisor(gateway, "/approvals")).status, 200)
      assert.deepStrictEqual(
        fs.readdirSync(used.dataDirectory).filter((name) => name.startsWith("supervisor")),
        ["supervisor.token"]
      )
    }))
})
