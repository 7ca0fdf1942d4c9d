import { assert, expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { asSupervisor } from "../../../support/supervisor.js"
import { failing, type Table } from "../Row.js"

const unavailable = { _tag: "CapabilityUnavailable", retryable: true }

export const alerts: Table<"alerts"> = {
  "alerts.send": {
    success: ({ directory: title, gateway, invoke }) =>
      Effect.gen(function*() {
        const sent = yield* invoke("alerts.send", {
          title,
          message: "look",
          severity: "critical",
          context: { disk: 99 }
        })
        assert.strictEqual(sent.severity, "critical")
        const { body } = yield* asSupervisor(gateway, "/alerts")
        assert.include(JSON.stringify(body), sent.alert_id)
        assert.include(JSON.stringify(body), title)
      }),
    errors: {
      AlertError: ({ without }) =>
        Effect.flatMap(
          without("alerts"),
          ({ invoke }) => failing(invoke("alerts.send", { message: "look" }), unavailable)
        )
    },
    limits: {
      "takes severity, title and message as well as message and context": ({ invoke }) =>
        Effect.gen(function*() {
          const short = yield* invoke("alerts.send", { message: "look" })
          assert.strictEqual(short.severity, "info")
        })
    }
  },
  "alerts.list": {
    success: ({ another, directory: name }) =>
      Effect.gen(function*() {
        const { invoke } = yield* another({ name })
        const { alert_id } = yield* invoke("alerts.send", { message: "one" })
        yield* invoke("alerts.send", { message: "two" })
        yield* invoke("alerts.acknowledge", { alert_id, acknowledged_by: "me" })
        expect(yield* invoke("alerts.list", { status: "acknowledged" })).toMatchObject({
          alerts: [{ alert_id, message: "one", acknowledged_by: "me" }],
          total: 1
        })
        expect(yield* invoke("alerts.list", { limit: 1 })).toMatchObject({ alerts: [{}], total: 2 })
      }),
    errors: {
      AlertError: ({ without }) =>
        Effect.flatMap(without("alerts"), ({ invoke }) => failing(invoke("alerts.list"), unavailable))
    }
  },
  "alerts.acknowledge": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const { alert_id } = yield* invoke("alerts.send", { message: "one" })
        const acknowledged = yield* invoke("alerts.acknowledge", { alert_id })
        assert.deepStrictEqual(acknowledged, { acknowledged: true, alert_id })
      }),
    errors: {
      AlertNotFound: ({ invoke }) => failing(invoke("alerts.acknowledge", { alert_id: "none" }), { alertId: "none" }),
      AlertError: ({ without }) =>
        Effect.flatMap(
          without("alerts"),
          ({ invoke }) => failing(invoke("alerts.acknowledge", { alert_id: "one" }), unavailable)
        )
    },
    limits: {
      "acknowledges once": ({ invoke }) =>
        Effect.gen(function*() {
          const { alert_id } = yield* invoke("alerts.send", { message: "one" })
          yield* invoke("alerts.acknowledge", { alert_id })
          assert.isFalse((yield* invoke("alerts.acknowledge", { alert_id })).acknowledged)
        })
    }
  }
}
