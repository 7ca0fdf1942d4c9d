import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { until } from "../../support/deadline.js"
import { Gateway, layer as gatewayLayer, type TestGateway } from "../../support/gateway.js"
import { at, listAt, textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import { asSupervisor } from "../../support/supervisor.js"
import { get, post, time } from "./asking.js"
import { readEvents } from "./eventReader.js"

const invoke = (gateway: TestGateway, capability: string, given: object, key?: string) =>
  Effect.map(rpc(gateway, "capabilities.invoke", { capability, arguments: given }, key), (answer) => {
    assert.isTrue(at(answer, "result", "success"), JSON.stringify(answer))
    return at(answer, "result", "data")
  })

layer(gatewayLayer(), { excludeTestServices: true })("alerts, at the supervisor's API", (it) => {
  it.effect("are listed in both spellings, the newest first, with secrets masked", () =>
    Effect.gen(function*() {
      const gateway = yield* Gateway
      const key = yield* gateway.addAgent("spelling")
      yield* invoke(gateway, "alerts.send", { severity: "critical", title: "Disk", message: "it is full" }, key)
      const context = { path: "/workspace", password: "hunter2" }
      const sent = yield* invoke(gateway, "alerts.send", { message: "token=abcdef1234 leaks", context }, key)
      const listed = yield* get(gateway, "/alerts?agent=spelling")
      assert.strictEqual(at(listed, "total"), 2)
      assert.deepInclude(at(listed, "alerts", 0), {
        id: textAt(sent, "alert_id"),
        agent: "spelling",
        severity: "info",
        title: null,
        message: "token=[secret] leaks",
        context: { path: "/workspace", password: "[secret]" },
        status: "pending",
        acknowledged_at: null,
        acknowledged_by: null
      })
      assert.match(textAt(listed, "alerts", 0, "created_at"), time)
      assert.deepInclude(at(listed, "alerts", 1), {
        severity: "critical",
        title: "Disk",
        message: "it is full",
        context: null
      })
      assert.deepStrictEqual(
        yield* get(gateway, `/alerts/${textAt(sent, "alert_id")}`),
        at(listed, "alerts", 0)
      )
      const second = yield* get(gateway, "/alerts?agent=spelling&limit=1&offset=1")
      assert.deepStrictEqual(listAt(second, "alerts"), [at(listed, "alerts", 1)])
    }))

  it.effect("are acknowledged by a supervisor, once, and their agent sees by whom", () =>
    Effect.gen(function*() {
      const gateway = yield* Gateway
      const key = yield* gateway.addAgent("settled")
      const id = textAt(yield* invoke(gateway, "alerts.send", { message: "look" }, key), "alert_id")
      const { body, status } = yield* post(gateway, `/alerts/${id}/acknowledge`)
      assert.strictEqual(status, 200)
      assert.strictEqual(at(body, "status"), "acknowledged")
      const by = textAt(body, "acknowledged_by")
      assert.match(textAt(body, "acknowledged_at"), time)
      assert.deepStrictEqual((yield* post(gateway, `/alerts/${id}/acknowledge`)).body, body)
      assert.deepInclude(at(yield* invoke(gateway, "alerts.list", {}, key), "alerts", 0), {
        status: "acknowledged",
        acknowledged_by: by
      })
      assert.deepStrictEqual(
        yield* invoke(gateway, "alerts.acknowledge", { alert_id: id }, key),
        { acknowledged: false, alert_id: id }
      )
      assert.strictEqual(at(yield* get(gateway, "/alerts?agent=settled&status=pending"), "total"), 0)
      assert.strictEqual(at(yield* get(gateway, "/alerts?agent=settled&status=acknowledged"), "total"), 1)
    }))

  it.effect("are in the activity, by types of their own", () =>
    Effect.gen(function*() {
      const gateway = yield* Gateway
      const key = yield* gateway.addAgent("active")
      const sent = yield* invoke(gateway, "alerts.send", { message: "look", title: "Here", severity: "warning" }, key)
      const alert_id = textAt(sent, "alert_id")
      yield* invoke(gateway, "alerts.acknowledge", { alert_id, acknowledged_by: "me" }, key)
      const path = "/activity?agent=active&type=alert_sent,alert_acknowledged"
      yield* until("two entries", Effect.map(get(gateway, path), (body) => at(body, "total") === 2))
      const listed = listAt(yield* get(gateway, path), "activity")
      const data = { alert_id, severity: "warning", title: "Here", message: "look" }
      assert.deepStrictEqual(
        listed.map((event) => [at(event, "type"), at(event, "agent"), at(event, "data")]),
        [["alert_acknowledged", "active", { ...data, by: "me" }], ["alert_sent", "active", data]]
      )
    }))

  it.effect("are events of their own, which can be asked for by their types", () =>
    Effect.gen(function*() {
      const gateway = yield* Gateway
      const key = yield* gateway.addAgent("streamed")
      const reader = yield* readEvents(gateway, "?type=alert_sent,alert_acknowledged&agent=streamed")
      const alert_id = textAt(yield* invoke(gateway, "alerts.send", { message: "look" }, key), "alert_id")
      const { body } = yield* post(gateway, `/alerts/${alert_id}/acknowledge`)
      const events = yield* reader.atLeast(2)
      const data = { alert_id, severity: "info", message: "look" }
      assert.deepStrictEqual(events.map(({ event, type }) => [type, at(event, "agent"), at(event, "data")]), [
        ["alert_sent", "streamed", data],
        ["alert_acknowledged", "streamed", { ...data, by: textAt(body, "acknowledged_by") }]
      ])
    }).pipe(Effect.scoped))

  it.effect("answer only what they are asked for in a known form", () =>
    Effect.gen(function*() {
      const gateway = yield* Gateway
      const statusOf = (path: string, method = "GET") =>
        Effect.map(asSupervisor(gateway, path, { method }), ({ status }) => status)
      assert.strictEqual(yield* statusOf("/alerts/alert-none"), 404)
      assert.strictEqual(yield* statusOf("/alerts/alert-none/acknowledge", "POST"), 404)
      assert.strictEqual(yield* statusOf("/alerts/alert-none/forget", "POST"), 404)
      assert.strictEqual(yield* statusOf("/alerts/alert-none/acknowledge"), 405)
      assert.strictEqual(yield* statusOf("/alerts", "POST"), 405)
      assert.strictEqual(yield* statusOf("/alerts?status=lost"), 400)
      assert.strictEqual(yield* statusOf("/alerts?limit=1001"), 400)
    }))
})
