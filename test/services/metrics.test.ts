import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as TestClock from "effect/TestClock"
import { Capabilities } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { metered, meterOf } from "../../src/connection/Meter.js"
import * as TestGateway from "../support/gateway.js"
import { settled } from "../support/scriptedGateway.js"
import { capabilitiesOf, failure, nativeGateway, success } from "./support.js"

const stateOf = (name: string, labels: { readonly [label: string]: string }) =>
  Metric.unsafeSnapshot().find(({ metricKey }) =>
    metricKey.name === name
    && Object.entries(labels).every(([key, text]) =>
      metricKey.tags.some((label) => label.key === key && label.value === text)
    )
  )?.metricState

/** The value of a counter or gauge, or how many values a histogram has. */
const value = (name: string, labels: { readonly [label: string]: string } = {}): number => {
  const found = stateOf(name, labels)
  if (MetricState.isCounterState(found)) return Number(found.count)
  if (MetricState.isGaugeState(found)) return Number(found.value)
  return MetricState.isHistogramState(found) ? found.count : 0
}

const counted = (side: "client" | "gateway", capability: string, outcome: string) =>
  value(`kruxos_${side}_invocations_total`, { capability, outcome })

/** The names of all capabilities and outcomes that anything is counted for. */
const labels = () =>
  new Set(
    Metric.unsafeSnapshot().flatMap(({ metricKey }) =>
      metricKey.name.startsWith("kruxos_") ? metricKey.tags.map((label) => label.value) : []
    )
  )

describe("the client's metrics", () => {
  it.scoped("count by capability and outcome, measure the time, and know what is in flight", () =>
    Effect.gen(function*() {
      const name = "state.session.get"
      const before = {
        ok: counted("client", name, "ok"),
        failed: counted("client", name, "ServiceUnavailable"),
        interrupted: counted("client", name, "interrupted"),
        late: counted("client", name, "GatewayTimeout"),
        durations: value("kruxos_client_invocation_duration", { capability: name }),
        inFlight: value("kruxos_client_invocations_in_flight"),
        sent: value("kruxos_client_bytes_sent_total"),
        received: value("kruxos_client_bytes_received_total")
      }
      const gateway = nativeGateway((_name, input) => {
        switch (JSON.stringify(input)) {
          case "{\"key\":\"fail\"}":
            return failure({ type: "ServiceUnavailable", message: "gone", retryable: false })
          case "{\"key\":\"hang\"}":
            return undefined
          default:
            return success({ value: 1, found: true })
        }
      })
      const { invoke } = yield* capabilitiesOf(gateway)
      yield* invoke(name, { key: "a" })
      yield* Effect.exit(invoke(name, { key: "fail" }))
      const hanging = yield* Effect.fork(invoke(name, { key: "hang" }))
      const late = yield* Effect.fork(Effect.exit(invoke(name, { key: "hang" }, { timeout: "10 seconds" })))
      yield* settled
      assert.strictEqual(value("kruxos_client_invocations_in_flight") - before.inFlight, 2)
      yield* TestClock.adjust("10 seconds")
      yield* late
      yield* Fiber.interrupt(hanging)
      assert.strictEqual(value("kruxos_client_invocations_in_flight"), before.inFlight)
      assert.strictEqual(counted("client", name, "ok") - before.ok, 1)
      assert.strictEqual(counted("client", name, "ServiceUnavailable") - before.failed, 1)
      assert.strictEqual(counted("client", name, "interrupted") - before.interrupted, 1)
      assert.strictEqual(counted("client", name, "GatewayTimeout") - before.late, 1)
      assert.strictEqual(value("kruxos_client_invocation_duration", { capability: name }) - before.durations, 4)
      assert.isAbove(value("kruxos_client_bytes_sent_total") - before.sent, 400)
      assert.isAbove(value("kruxos_client_bytes_received_total") - before.received, 200)
    }))

  it.scoped("measure what may take forever", () =>
    Effect.gen(function*() {
      const capability = "filesystem.stat"
      const { invoke } = yield* capabilitiesOf(nativeGateway(() => success({ exists: true })))
      const sum = () => {
        const durations = stateOf("kruxos_client_invocation_duration", { capability })
        return MetricState.isHistogramState(durations) ? durations.sum : 0
      }
      const before = { count: value("kruxos_client_invocation_duration", { capability }), sum: sum() }
      yield* invoke(capability, { path: "a" }, { timeout: Duration.infinity })
      assert.strictEqual(value("kruxos_client_invocation_duration", { capability }), before.count + 1)
      assert.strictEqual(sum(), before.sum)
    }))

  it.scoped("know what is in flight, whenever it is interrupted", () =>
    Effect.gen(function*() {
      const { invoke } = yield* capabilitiesOf(nativeGateway(() => undefined))
      const before = value("kruxos_client_invocations_in_flight")
      const calls: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
        invoke("state.session.get", { key: "a" }),
        metered(meterOf("client"), Effect.never)
      ]
      for (const call of calls) {
        // Wherever a fiber lets others run, it may be interrupted.
        for (let steps = 0; steps < 10; steps++) {
          for (let turns = 0; turns < 10; turns++) {
            const shifted = Effect.zipRight(Effect.repeatN(Effect.void, steps), call)
            const fiber = yield* Effect.fork(Effect.withMaxOpsBeforeYield(shifted, 10))
            yield* Effect.repeatN(Effect.yieldNow(), turns)
            yield* Fiber.interrupt(fiber)
            assert.strictEqual(value("kruxos_client_invocations_in_flight"), before, `${steps} steps, ${turns} turns`)
          }
        }
      }
    }))
})

describe("the metrics of both sides", () => {
  it.scopedLive("count names that the catalogue does not have as one", () =>
    Effect.gen(function*() {
      const used = yield* TestGateway.folders
      const services = yield* Layer.build(LocalGateway.layer(used)).pipe(TestGateway.quietly)
      const before = (["client", "gateway"] as const).map((side) => counted(side, "other", "CapabilityNotFound"))
      yield* Effect.flatMap(Capabilities, ({ invokeDynamic }) =>
        Effect.forEach([1, 2, 3], (number) => Effect.exit(invokeDynamic(`made.up${number}`)))).pipe(
          Effect.provide(services)
        )
      const after = (["client", "gateway"] as const).map((side) =>
        counted(side, "other", "CapabilityNotFound")
      )
      assert.deepStrictEqual(after.map((count, index) => count - (before[index] ?? 0)), [3, 3])
      assert.deepStrictEqual([...labels()].filter((label) => label.startsWith("made.up")), [])
      const known = counted("gateway", "state.session.list", "ok")
      yield* Effect.flatMap(Capabilities, ({ invoke }) => invoke("state.session.list", {})).pipe(
        Effect.provide(services)
      )
      assert.strictEqual(counted("gateway", "state.session.list", "ok") - known, 1)
      assert.strictEqual(value("kruxos_gateway_invocations_in_flight"), 0)
    }))
})
