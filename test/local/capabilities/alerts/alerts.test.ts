import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as catalogue from "../../../../src/catalogue/alerts.js"
import { makeAlertsHandlers } from "../../../../src/local/capabilities/alerts.js"
import { Alerts } from "../../../../src/local/store/Alerts.js"
import * as Store from "../../../../src/local/store/Store.js"
import { invocationBy } from "../invocation.js"

const store = Effect.provide(Store.layer({ filename: ":memory:", alerts: { maximumAlerts: 3 } }))

interface Input {
  readonly [name: string]: unknown
}

// Each with an input as it comes from the wire.
const send = (agent: string, input: Input) =>
  Effect.gen(function*() {
    const handlers = yield* makeAlertsHandlers
    const decoded = yield* Effect.orDie(Schema.decodeUnknown(catalogue.send.handlerInputSchema)(input))
    return yield* handlers["alerts.send"](decoded, yield* invocationBy(agent))
  })

const list = (agent: string, input: Input = {}) =>
  Effect.gen(function*() {
    const handlers = yield* makeAlertsHandlers
    const decoded = yield* Effect.orDie(Schema.decodeUnknown(catalogue.list.handlerInputSchema)(input))
    return yield* handlers["alerts.list"](decoded, yield* invocationBy(agent))
  })

const acknowledge = (agent: string, input: Input) =>
  Effect.gen(function*() {
    const handlers = yield* makeAlertsHandlers
    const decoded = yield* Effect.orDie(Schema.decodeUnknown(catalogue.acknowledge.handlerInputSchema)(input))
    return yield* handlers["alerts.acknowledge"](decoded, yield* invocationBy(agent))
  })

const messages = (output: { readonly alerts: ReadonlyArray<{ readonly message: string }> }) =>
  output.alerts.map(({ message }) => message)

describe("alerts.send", () => {
  it.scoped("keeps an alert with all that it says", () =>
    store(Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      const sent = yield* send("one", {
        message: "the disk is full",
        severity: "critical",
        title: "Disk",
        context: { path: "/workspace", free: 0 }
      })
      assert.match(sent.alert_id, /^alert-[0-9a-f-]{36}$/)
      assert.deepStrictEqual({ ...sent, alert_id: "" }, {
        alert_id: "",
        delivered_to: "dashboard",
        severity: "critical"
      })
      const { alerts } = yield* (yield* Alerts).list({ agent: "one", limit: 10 })
      assert.deepStrictEqual(alerts, [{
        alertId: sent.alert_id,
        agent: "one",
        severity: "critical",
        title: "Disk",
        message: "the disk is full",
        context: { path: "/workspace", free: 0 },
        status: "pending",
        createdAt: DateTime.unsafeMake("2026-01-01T00:00:00Z"),
        acknowledgedAt: null,
        acknowledgedBy: null
      }])
    })))

  it.scoped("informs if nothing else is said", () =>
    store(Effect.gen(function*() {
      const { severity } = yield* send("one", { message: "" })
      assert.strictEqual(severity, "info")
    })))

  it.scoped("refuses what is too long, and keeps nothing of it", () =>
    store(Effect.gen(function*() {
      const long: ReadonlyArray<readonly [field: string, input: Input]> = [
        ["message", { message: "a".repeat(16_385) }],
        ["title", { message: "", title: "a".repeat(513) }],
        ["context", { message: "", context: { a: "a".repeat(65_536) } }]
      ]
      for (const [field, input] of long) {
        assert.deepInclude(yield* Effect.flip(send("one", input)), { _tag: "InvalidInput", field })
      }
      assert.deepStrictEqual(yield* list("one"), { alerts: [], total: 0 })
      yield* send("one", { message: "a".repeat(16_384) })
    })))

  it.scoped("forgets the oldest that was acknowledged to make room, and never one that was not", () =>
    store(Effect.gen(function*() {
      const first = yield* send("one", { message: "1" })
      const second = yield* send("one", { message: "2" })
      yield* send("one", { message: "3" })
      const full = { _tag: "ResourceExhausted", resource: "alerts", limit: 3 } as const
      assert.deepInclude(yield* Effect.flip(send("one", { message: "4" })), full)
      yield* send("two", { message: "another's" })
      yield* acknowledge("one", { alert_id: second.alert_id })
      yield* acknowledge("one", { alert_id: first.alert_id })
      yield* send("one", { message: "4" })
      assert.deepStrictEqual(messages(yield* list("one")), ["4", "3", "2"])
      yield* send("one", { message: "5" })
      assert.deepStrictEqual(messages(yield* list("one")), ["5", "4", "3"])
      assert.deepInclude(yield* Effect.flip(send("one", { message: "6" })), full)
    })))
})

describe("alerts.list", () => {
  it.scoped("gives an agent its own, the newest first, in one state if it wants", () =>
    store(Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      const created_at = DateTime.unsafeMake("2026-01-01T00:00:00Z")
      const first = yield* send("one", { message: "a" })
      const second = yield* send("one", { message: "b", severity: "warning" })
      yield* send("two", { message: "not yours" })
      yield* TestClock.adjust("1 minute")
      yield* acknowledge("one", { alert_id: first.alert_id, acknowledged_by: "Ada" })
      const acknowledged = {
        alert_id: first.alert_id,
        message: "a",
        severity: "info",
        status: "acknowledged",
        created_at,
        acknowledged_at: DateTime.unsafeMake("2026-01-01T00:01:00Z"),
        acknowledged_by: "Ada"
      }
      const pending = {
        alert_id: second.alert_id,
        message: "b",
        severity: "warning",
        status: "pending",
        created_at,
        acknowledged_at: null,
        acknowledged_by: null
      }
      const all = yield* list("one")
      assert.deepStrictEqual(all, { alerts: [pending, acknowledged], total: 2 })
      assert.deepNestedInclude(yield* Schema.encode(catalogue.list.outputSchema)(all), {
        "alerts[1].acknowledged_at": "2026-01-01T00:01:00.000Z"
      })
      assert.deepStrictEqual(yield* list("one", { status: "pending" }), { alerts: [pending], total: 1 })
      assert.deepStrictEqual(yield* list("one", { status: "acknowledged" }), { alerts: [acknowledged], total: 1 })
      assert.deepStrictEqual(yield* list("one", { limit: 1 }), { alerts: [pending], total: 2 })
      assert.strictEqual(yield* (yield* Alerts).pending, 2)
      assert.deepInclude(yield* Effect.flip(list("one", { limit: 501 })), { _tag: "InvalidInput", field: "limit" })
    })))
})

describe("alerts.acknowledge", () => {
  it.scoped("acknowledges once, for the agent if it names nobody", () =>
    store(Effect.gen(function*() {
      const { alert_id } = yield* send("one", { message: "a" })
      assert.deepStrictEqual(yield* acknowledge("one", { alert_id }), { acknowledged: true, alert_id })
      assert.deepStrictEqual(yield* acknowledge("one", { alert_id, acknowledged_by: "other" }), {
        acknowledged: false,
        alert_id
      })
      assert.strictEqual((yield* list("one")).alerts[0]?.acknowledged_by, "one")
      assert.deepInclude(
        yield* Effect.flip(acknowledge("one", { alert_id, acknowledged_by: "a".repeat(257) })),
        { _tag: "InvalidInput", field: "acknowledged_by" }
      )
    })))

  it.scoped("knows no alert of another agent", () =>
    store(Effect.gen(function*() {
      const { alert_id } = yield* send("one", { message: "a" })
      for (const [agent, id] of [["two", alert_id], ["one", "alert-none"], ["one", ""], ["one", "a\0b"]] as const) {
        assert.deepInclude(yield* Effect.flip(acknowledge(agent, { alert_id: id })), {
          _tag: "AlertNotFound",
          alertId: id
        })
      }
      assert.strictEqual((yield* list("one")).alerts[0]?.status, "pending")
    })))
})

it.scoped("AlertError is what a failure of the store becomes", () =>
  store(Effect.gen(function*() {
    const alerts = yield* Alerts
    const cause = new SqlError({ cause: new Error("made up"), message: "cannot read /host/path" })
    const broken = {
      send: () => Effect.fail(cause),
      list: () => Effect.fail(cause),
      acknowledge: () => Effect.fail(cause)
    }
    const inputs = [
      Effect.asVoid(send("one", { message: "a" })),
      Effect.asVoid(list("one")),
      Effect.asVoid(acknowledge("one", { alert_id: "a" }))
    ]
    for (const invocation of inputs) {
      const error = yield* Effect.provideService(Effect.flip(invocation), Alerts, { ...alerts, ...broken })
      assert.deepInclude(error, { _tag: "CapabilityUnavailable", type: "AlertError", reason: "AlertError", cause })
      assert.notInclude(error.message, "/host/path")
    }
  })))
