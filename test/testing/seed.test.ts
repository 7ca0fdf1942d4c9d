import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LocalGateway from "../../src/local/LocalGateway.js"
import { Capabilities } from "../../src/services/Capabilities.js"
import { Gateway } from "../../src/services/Gateway.js"
import { Transaction } from "../../src/services/Transaction.js"
import { MockGateway } from "../../src/testing/MockGateway.js"

const program = Effect.gen(function*() {
  const mock = yield* MockGateway
  const { id } = yield* Effect.flatMap(Gateway, ({ session }) => session)
  const { invoke } = yield* Capabilities
  const { alert_id } = yield* invoke("alerts.send", { message: "hello" })
  yield* Transaction.run(invoke("state.persistent.set", { key: "step", value: 1 }))
  yield* Effect.flip(invoke("slack.react", { channel: "C1", ts: "1", reaction: "eyes" }))
  return { id, alert_id, invocations: yield* mock.invocations, pending: yield* mock.humans.pending }
})

const runWith = (seed: number | undefined) =>
  Effect.provide(program, MockGateway.layer({ seed, policy: { tiers: { "slack.react": "approval_required" } } }))

describe("seed", () => {
  it.effect("gives two runs the same ids, those that the client makes too", () =>
    Effect.gen(function*() {
      const first = yield* runWith(undefined)
      expect(yield* runWith(undefined)).toEqual(first)
      expect(yield* runWith(0)).toEqual(first)
      const keys = first.invocations.map(({ idempotencyKey }) => idempotencyKey)
      expect(new Set(keys).size).toBe(3)
      const other = yield* runWith(1)
      expect(other.id).not.toBe(first.id)
      expect(other.invocations.map(({ idempotencyKey }) => idempotencyKey)).not.toEqual(keys)
    }))

  it.effect("is the same for a local gateway of one test, which has none unless given", () =>
    Effect.gen(function*() {
      const keys = Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const { id } = yield* Effect.flatMap(Gateway, ({ session }) => session)
        const { alert_id } = yield* invoke("alerts.send", { message: "hello" })
        const failure = yield* Effect.flip(invoke("filesystem.delete", { path: "/workspace/a.txt" }))
        return [id, alert_id, failure._tag === "ApprovalRequired" ? failure.idempotencyKey : undefined]
      })
      const keysWith = (seed: number | undefined) =>
        Effect.provide(keys, LocalGateway.layerTest({ seed, files: { "a.txt": "" } }))
      const first = yield* keysWith(3)
      expect(new Set(first).size).toBe(3)
      expect(first).not.toContain(undefined)
      expect(yield* keysWith(3)).toEqual(first)
      for (const other of [yield* keysWith(4), yield* keysWith(undefined), yield* keysWith(undefined)]) {
        expect(other.filter((one) => first.includes(one))).toEqual([])
      }
    }))
})
