import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AuditLog } from "../../../src/local/store/AuditLog.js"
import { until } from "../../support/deadline.js"
import * as TestGateway from "../../support/gateway.js"
import { at, listAt, textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import { asSupervisor } from "../../support/supervisor.js"

const gateway = TestGateway.Gateway

const invoke = (capability: string, input: object, key?: string) =>
  Effect.gen(function*() {
    const answer = yield* rpc(yield* gateway, "capabilities.invoke", { capability, arguments: input }, key)
    if (at(answer, "result", "success") !== true) return yield* Effect.dieMessage(JSON.stringify(answer))
    return at(answer, "result", "data")
  })

const ask = (path: string, options?: Parameters<typeof asSupervisor>[2]) =>
  Effect.flatMap(gateway, (made) => asSupervisor(made, path, options))

const isTime = (value: unknown) => typeof value === "string" && !Number.isNaN(Date.parse(value))

layer(TestGateway.layer(), { excludeTestServices: true })("/api/state", (it) => {
  it.scoped("shows what an agent keeps, with what it costs and how it came about", () =>
    Effect.gen(function*() {
      const { agent } = yield* gateway
      for (const value of [1, 22]) yield* invoke("state.persistent.set", { key: "notes/ä %", value })
      yield* invoke("state.persistent.set", { key: "other", value: { token: "shown to supervisors" } })
      const { body, status } = yield* ask(`/state/${agent}`)
      assert.strictEqual(status, 200)
      const entries = listAt(body, "entries")
      assert.deepStrictEqual(
        entries.map((entry) => [at(entry, "key"), at(entry, "version"), at(entry, "size_bytes")]),
        [
          ["notes/ä %", 2, 2],
          ["other", 1, 32]
        ]
      )
      assert.isTrue(entries.every((entry) => isTime(at(entry, "updated_at"))))
      const keyBytes = Buffer.byteLength("notes/ä %")
      assert.deepInclude(body, {
        agent,
        count: 2,
        total_size_bytes: 34,
        used_bytes: 2 * keyBytes + 3 + 5 + 32,
        limit_bytes: 100 * 1024 * 1024
      })
      const some = yield* ask(`/state/${agent}?prefix=o&limit=1`)
      assert.deepStrictEqual(listAt(some.body, "entries").map((entry) => at(entry, "key")), ["other"])
      const cut = yield* ask(`/state/${agent}?limit=1`)
      assert.deepStrictEqual([listAt(cut.body, "entries").length, at(cut.body, "count")], [1, 2])

      const one = yield* ask(`/state/${agent}/${encodeURIComponent("notes/ä %")}`)
      assert.deepInclude(one.body, { agent, key: "notes/ä %", value: 22, version: 2 })
      assert.deepStrictEqual(
        listAt(one.body, "history").map((version) => [at(version, "version"), at(version, "size_bytes")]),
        [[2, 2], [1, 1]]
      )
      assert.isTrue(isTime(at(one.body, "created_at")) && isTime(at(one.body, "updated_at")))
    }))

  it.scoped("shows what agents share", () =>
    Effect.gen(function*() {
      const { agent } = yield* gateway
      yield* invoke("state.shared.set", { key: "k", value: [1], expected_version: 0 })
      const { body } = yield* ask("/state/shared")
      assert.deepInclude(body, { count: 1, total_size_bytes: 3 })
      assert.deepInclude(listAt(body, "entries")[0], { key: "k", version: 1, size_bytes: 3, owner_agent: agent })
      assert.deepInclude((yield* ask("/state/shared?key=k")).body, {
        key: "k",
        value: [1],
        version: 1,
        size_bytes: 3,
        owner_agent: agent
      })
      assert.strictEqual((yield* ask("/state/shared?key=none")).status, 404)
      assert.deepStrictEqual(listAt((yield* ask("/state/shared?prefix=x")).body, "entries"), [])
    }))

  it.scoped("removes a key of an agent, which is in the audit log with the supervisor's name", () =>
    Effect.gen(function*() {
      const { agent, inStore } = yield* gateway
      for (const key of ["..", "gone"]) yield* invoke("state.persistent.set", { key, value: 1 })
      for (const path of [`/state/${agent}/gone`, `/state/${agent}?key=..`]) {
        assert.strictEqual((yield* ask(path)).status, 200)
        const removed = yield* ask(path, { method: "DELETE" })
        assert.deepStrictEqual([removed.status, removed.body], [200, { deleted: true }])
        assert.strictEqual((yield* ask(path, { method: "DELETE" })).status, 404)
        assert.strictEqual((yield* ask(path)).status, 404)
      }
      assert.deepStrictEqual(yield* invoke("state.persistent.get", { key: "gone" }), { found: false })
      const entries = inStore(Effect.flatMap(AuditLog, (log) => Effect.orDie(log.list({ agent })))).pipe(
        Effect.map((all) => all.filter(({ kind }) => kind === "state_removed"))
      )
      yield* until("the entries", Effect.map(entries, ({ length }) => length === 2))
      assert.deepStrictEqual((yield* entries).map(({ details }) => JSON.parse(details)), [
        { by: "supervisor", key: "gone" },
        { by: "supervisor", key: ".." }
      ])
      const activity = yield* ask("/activity?type=state_removed")
      assert.strictEqual(at(activity.body, "total"), 2)
    }))

  it.scoped.each(
    [
      ["/state", "GET", 404],
      ["/state/nobody", "GET", 404],
      ["/state/nobody/key", "GET", 404],
      ["/state/nobody/key", "DELETE", 404],
      ["/state/agent/a/b", "GET", 404],
      ["/state/shared/key", "GET", 404],
      ["/state/shared", "DELETE", 405],
      ["/state/agent", "DELETE", 405],
      ["/state/agent/key", "POST", 405],
      ["/state/agent?limit=0", "GET", 400],
      ["/state/agent?offset=1", "GET", 400],
      ["/state/shared?key=a&key=b", "GET", 400],
      [`/state/shared?prefix=${"x".repeat(513)}`, "GET", 400],
      ["/state/agent/key?prefix=a", "DELETE", 400]
    ] as const
  )("answers %s %s with %i", ([path, method, status]) =>
    Effect.gen(function*() {
      const answer = yield* ask(path, { method })
      assert.strictEqual(answer.status, status)
      assert.isString(textAt(answer.body, "error"))
    }))

  it.scoped("is for supervisors alone", () =>
    Effect.gen(function*() {
      const { key } = yield* gateway
      assert.strictEqual((yield* ask("/state/shared", { token: null })).status, 401)
      assert.strictEqual((yield* ask("/state/shared", { token: key })).status, 403)
    }))
})
