import { assert, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { Agents } from "../../../src/local/store/Agents.js"
import { Gateway, layer as gatewayLayer, type TestGateway } from "../../support/gateway.js"
import { at, listAt, textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import * as RawSocket from "../../support/rawSocket.js"
import { type AskOptions, asSupervisor } from "../../support/supervisor.js"
import { activityOf, get, post, time } from "./asking.js"

const read = (gateway: TestGateway, path: string, key?: string) =>
  rpc(gateway, "capabilities.invoke", { capability: "filesystem.read", arguments: { path } }, key)

const deletion = (gateway: TestGateway, path: string, key?: string) =>
  rpc(gateway, "capabilities.invoke", { capability: "filesystem.delete", arguments: { path } }, key)

layer(gatewayLayer({ policy: "enterprise-restrictive" }), { excludeTestServices: true })(
  "the supervisor's API",
  (it) => {
    it.effect("tells in a few numbers how the gateway is", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const before = yield* get(gateway, "/status")
        yield* gateway.addAgent("status-active")
        yield* gateway.addAgent("status-paused")
        yield* gateway.addAgent("status-revoked")
        yield* gateway.inStore(Effect.orDie(Effect.flatMap(Agents, (agents) => agents.revoke("status-revoked"))))
        yield* post(gateway, "/agents/status-paused/pause")
        yield* RawSocket.initialized(gateway)
        yield* deletion(gateway, "/workspace/status.txt")
        const after = yield* get(gateway, "/status")
        const more = (...path: ReadonlyArray<string>) => Number(at(after, ...path)) - Number(at(before, ...path))
        assert.deepStrictEqual(
          ["total", "active", "paused", "revoked"].map((name) => more("agents", name)),
          [3, 1, 1, 1]
        )
        // The session of the WebSocket, and at the first request that of `/rpc`.
        assert.isAtLeast(more("sessions", "open"), 1)
        assert.strictEqual(more("approvals", "pending"), 1)
        assert.deepInclude(at(after, "gateway"), {
          name: "kruxos-gateway",
          policy: "enterprise-restrictive",
          draining: false
        })
        assert.match(textAt(after, "gateway", "version"), /^\d+\.\d+\.\d+/)
        assert.match(textAt(after, "gateway", "started_at"), time)
        const started = Date.parse(textAt(after, "gateway", "started_at"))
        const uptime = Number(at(after, "gateway", "uptime_seconds"))
        assert.isAtMost(Math.abs((yield* Clock.currentTimeMillis) - started - uptime * 1000), 3000)
        assert.match(textAt(after, "events", "newest"), /^[0-9a-f]{12}-\d+$/)
        assert.isAbove(
          Number(textAt(after, "events", "newest").split("-")[1]),
          Number(textAt(before, "events", "newest").split("-")[1])
        )
      }).pipe(Effect.scoped))

    it.effect("tells how healthy it is", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const health = yield* get(gateway, "/health")
        const statuses = ["healthy", "degraded", "unhealthy"]
        assert.include(statuses, textAt(health, "status"))
        assert.match(textAt(health, "checked_at"), time)
        const components = listAt(health, "components")
        assert.includeMembers(components.map((one) => at(one, "name")), ["store", "workspace", "disk"])
        for (const one of components) {
          assert.include(statuses, textAt(one, "status"))
          assert.isNotEmpty(textAt(one, "message"))
        }
        assert.deepInclude(components[0], { name: "store", status: "healthy" })
        for (const name of ["cpu_percent", "memory_percent", "disk_percent", "open_files"]) {
          assert.isAtLeast(Number(at(health, "resource_usage", name)), 0)
        }
        assert.strictEqual(at(health, "resource_usage", "approvals_pending"), undefined)
      }))

    it.effect("shows what was done, the newest first, in parts and by type", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const key = yield* gateway.addAgent("doer")
        fs.writeFileSync(join(gateway.workspace, "done.txt"), "text")
        yield* read(gateway, "/workspace/done.txt", key)
        yield* read(gateway, "/workspace/missing.txt", key)
        yield* rpc(gateway, "capabilities.invoke", { capability: "email.bulk_delete", arguments: {} }, key)
        const id = textAt(
          yield* deletion(gateway, "/workspace/done.txt", key),
          "result",
          "error",
          "context",
          "approval_id"
        )
        yield* asSupervisor(gateway, `/approvals/${id}/approve`, { method: "POST", body: { reason: "go on" } })
        const all = yield* activityOf(gateway, "doer", 7)
        assert.deepStrictEqual(all.map((one) => at(one, "type")).toReversed(), [
          "capability_result",
          "capability_error",
          "policy_violation",
          "approval_requested",
          "approval_resolved",
          "capability_invoked",
          "capability_result"
        ])
        const sequences = all.map((one) => Number(at(one, "sequence")))
        assert.deepStrictEqual(sequences, sequences.toSorted((one, other) => other - one))
        for (const one of all) {
          assert.strictEqual(at(one, "agent"), "doer")
          assert.match(textAt(one, "timestamp"), time)
        }
        const [, , , requested, violation, failure, success] = all
        assert.deepInclude(at(success, "data"), {
          capability: "filesystem.read",
          success: true,
          arguments: { path: "/workspace/done.txt" }
        })
        assert.match(textAt(success, "session_id"), /^ses-/)
        assert.isNumber(at(success, "data", "duration_ms"))
        assert.strictEqual(at(failure, "data", "error_type"), "FileNotFound")
        assert.strictEqual(at(violation, "data", "capability"), "email.bulk_delete")
        assert.strictEqual(at(requested, "data", "approval_id"), id)
        assert.deepInclude(at(all[2], "data"), { approval_id: id, decision: "approved", decided_by: "supervisor" })

        const parts = yield* Effect.forEach(
          all.map((_, offset) => offset),
          (offset) => get(gateway, `/activity?agent=doer&limit=1&offset=${offset}`)
        )
        assert.deepStrictEqual(parts.map((part) => at(part, "activity", 0)), all)
        for (const part of parts) {
          assert.strictEqual(at(part, "total"), 7)
          assert.strictEqual(listAt(part, "activity").length, 1)
        }
        assert.deepStrictEqual(listAt(yield* get(gateway, "/activity?agent=doer&offset=7"), "activity"), [])
        for (
          const type of ["capability_result,capability_error", "policy_violation", "session_started,rate_limit_hit"]
        ) {
          const found = yield* get(gateway, `/activity?agent=doer&type=${type}`)
          const expected = all.filter((one) => type.split(",").includes(textAt(one, "type")))
          assert.deepStrictEqual(listAt(found, "activity"), expected)
          assert.strictEqual(at(found, "total"), expected.length)
        }
        const whole = yield* get(gateway, "/activity?limit=2")
        const next = yield* get(gateway, "/activity?limit=2&offset=1")
        assert.isAtLeast(Number(at(whole, "total")), 7)
        assert.deepStrictEqual(at(whole, "activity", 1), at(next, "activity", 0))
      }))

    it.effect("shows the audit log as it is", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const key = yield* gateway.addAgent("noted")
        yield* read(gateway, "/workspace/one.txt", key)
        yield* Effect.sleep("5 millis")
        yield* rpc(gateway, "capabilities.invoke", { capability: "system.time", arguments: {} }, key)
        yield* activityOf(gateway, "noted", 2)
        const entries = listAt(yield* get(gateway, "/audit?agent=noted"), "entries")
        assert.deepStrictEqual(entries.map((entry) => at(entry, "capability")), ["filesystem.read", "system.time"])
        const [first, last] = entries
        assert.sameMembers(Object.keys(Object(first)), [
          "sequence",
          "at",
          "kind",
          "agent",
          "session_id",
          "capability",
          "tier",
          "rule",
          "approval_id",
          "idempotency_key",
          "details",
          "previous_hash",
          "hash"
        ])
        assert.deepStrictEqual(at(first, "details", "arguments"), { path: "/workspace/one.txt" })
        const found = (query: string) =>
          Effect.map(get(gateway, `/audit?agent=noted&${query}`), (body) => listAt(body, "entries"))
        assert.deepStrictEqual(yield* found("capability=system.*"), [last])
        assert.deepStrictEqual(yield* found("capability=*.t_me"), [])
        assert.deepStrictEqual(yield* found("limit=1"), [last])
        assert.deepStrictEqual(yield* found(`since=${textAt(last, "at")}`), [last])
        assert.deepStrictEqual(yield* found(`since=${textAt(last, "at").replace("Z", "%2B00:00")}`), [last])
        assert.deepStrictEqual(yield* found("since=2020-01-01"), entries)
        assert.deepStrictEqual(yield* found("since=2999-12-31T00:00:00"), [])
      }))

    it.effect("lists the requests of one agent", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const key = yield* gateway.addAgent("asking")
        yield* deletion(gateway, "/workspace/a", key)
        yield* deletion(gateway, "/workspace/b")
        const found = yield* get(gateway, "/approvals?agent=asking&status=pending")
        assert.strictEqual(at(found, "total"), 1)
        assert.deepStrictEqual(listAt(found, "approvals").map((one) => at(one, "agent")), ["asking"])
      }))

    it.effect("says what is wrong with a request", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const cases: ReadonlyArray<readonly [path: string, options: AskOptions, status: number, says: string]> = [
          ["/status?full=1", {}, 400, "no parameters"],
          ["/status/more", {}, 404, "nothing here"],
          ["/status", { method: "POST" }, 405, "GET"],
          ["/health?x", {}, 400, "no parameters"],
          ["/health", { method: "DELETE" }, 405, "GET"],
          ["/agents?limit=1", {}, 400, "no parameters"],
          ["/agents/agent?x=1", {}, 400, "no parameters"],
          ["/agents/nobody", {}, 404, "no agent named nobody"],
          ["/agents/..%2f..", {}, 404, "no agent named"],
          ["/agents/agent/", {}, 404, "nothing here"],
          ["/agents/agent/delete", { method: "POST" }, 404, "nothing here"],
          ["/agents/agent/pause/now", { method: "POST" }, 404, "nothing here"],
          ["/agents/agent/pause", {}, 405, "POST"],
          ["/agents/agent/pause", { method: "PUT" }, 405, "POST"],
          ["/agents/agent", { method: "DELETE" }, 405, "GET"],
          ["/agents", { method: "POST" }, 405, "GET"],
          ["/activity?limit=0", {}, 400, "limit is 1 to 1000"],
          ["/activity?limit=1001", {}, 400, "limit is 1 to 1000"],
          ["/activity?offset=-1", {}, 400, "offset is a whole number"],
          ["/activity?agent=a%2fb", {}, 400, "agent is the name"],
          ["/activity?type=nothing", {}, 400, "type is one or more"],
          ["/activity?type=", {}, 400, "type is one or more"],
          ["/activity?type=constructor", {}, 400, "type is one or more"],
          ["/activity?limit=5&limit=6", {}, 400, "at most once"],
          ["/activity", { method: "DELETE" }, 405, "GET"],
          ["/audit?since=yesterday", {}, 400, "since is a time"],
          ["/audit?since=2026-02-31T12:00:61Z", {}, 400, "since is a time"],
          ["/audit?capability=a%00b", {}, 400, "capability is"],
          ["/audit?transaction=", {}, 400, "transaction is the id"],
          ["/activity?transaction=a%20b", {}, 400, "transaction is the id"],
          ["/audit?limit=ten", {}, 400, "limit is 1 to 1000"],
          ["/audit?__proto__=1", {}, 400, "Parameters are"],
          ["/audit/1", {}, 404, "nothing here"]
        ]
        for (const [path, options, expected, says] of cases) {
          const { body, headers, status } = yield* asSupervisor(gateway, path, options)
          assert.strictEqual(status, expected, `${options.method ?? "GET"} ${path}: ${JSON.stringify(body)}`)
          assert.include(textAt(body, "error"), says)
          assert.strictEqual(headers.get("allow"), expected === 405 ? says : null)
          assert.strictEqual(headers.get("cache-control"), "no-store")
        }
      }))

    it.effect("is only for its supervisor, and sets no cookie", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const paths: ReadonlyArray<readonly [path: string, method: string]> = [
          ["/status", "GET"],
          ["/health", "GET"],
          ["/agents", "GET"],
          ["/agents/agent", "GET"],
          ["/agents/agent/pause", "POST"],
          ["/activity", "GET"],
          ["/audit", "GET"]
        ]
        for (const [path, method] of paths) {
          const statuses = yield* Effect.forEach(
            [null, `${gateway.supervisorToken}x`, gateway.key],
            (token) => asSupervisor(gateway, path, { method, token })
          )
          assert.deepStrictEqual(statuses.map(({ status }) => status), [401, 401, 403], path)
          const foreign = yield* asSupervisor(gateway, path, { method, headers: { origin: "http://evil.example" } })
          assert.strictEqual(foreign.status, 403)
        }
        for (const [path, method] of paths.filter(([, method]) => method === "GET")) {
          const { headers } = yield* asSupervisor(gateway, path, { method })
          assert.isNull(headers.get("set-cookie"))
          assert.strictEqual(headers.get("content-type"), "application/json")
          assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
        }
        assert.strictEqual(at(yield* get(gateway, "/agents/agent"), "status"), "active")
      }))
  }
)
