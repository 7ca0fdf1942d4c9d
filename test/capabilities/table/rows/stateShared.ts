import { assert, expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { until } from "../../../support/deadline.js"
import { failing, type Table } from "../Row.js"
import { mebibyte, taking, withoutSession } from "./stateSupport.js"

export const sharedState: Table<"state.shared"> = {
  "state.shared.get": {
    success: ({ agent, another, directory: key, invoke }) =>
      Effect.gen(function*() {
        const { version } = yield* invoke("state.shared.set", { key, value: "ours", expected_version: 0 })
        const other = yield* another({ name: key })
        const read = yield* other.invoke("state.shared.get", { key })
        expect(read).toMatchObject({ value: "ours", version, found: true, owner_agent: agent })
      }),
    errors: {},
    limits: {
      "gives version 0 of a missing key": ({ directory: key, invoke }) =>
        Effect.gen(function*() {
          expect(yield* invoke("state.shared.get", { key })).toMatchObject({ found: false, version: 0 })
        })
    }
  },
  "state.shared.set": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        const { version } = yield* invoke("state.shared.set", { key, value: 1, expected_version: 0 })
        const next = yield* invoke("state.shared.set", { key, value: 2, expected_version: version })
        assert.strictEqual(next.version, version + 1)
        expect(yield* invoke("state.shared.get", { key })).toMatchObject({ value: 2, version: next.version })
      }),
    errors: {
      VersionConflict: ({ directory: key, invoke }) =>
        Effect.gen(function*() {
          const { version } = yield* invoke("state.shared.set", { key, value: 1, expected_version: 0 })
          return yield* failing(invoke("state.shared.set", { key, value: 2, expected_version: 0 }), {
            expectedVersion: 0,
            actualVersion: version,
            retryable: true
          })
        }),
      QuotaExceeded: (world) =>
        Effect.gen(function*() {
          const full = yield* world.elsewhere()
          yield* full.invoke("state.shared.set", { key: "there", value: 1, expected_version: 0 })
          yield* taking(full, "*", 500 * mebibyte)
          return yield* failing(full.invoke("state.shared.set", { key: "new", value: 1, expected_version: 0 }), {
            used: 500 * mebibyte,
            limit: 500 * mebibyte
          })
        })
    },
    limits: {
      "needs the expected version": ({ directory: key, invokeDynamic }) =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(invokeDynamic("state.shared.set", { key, value: 1 }))
          expect(error).toMatchObject({ _tag: "InvalidInput", field: "expected_version" })
        })
    }
  },
  "state.shared.delete": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        const { version } = yield* invoke("state.shared.set", { key, value: 1, expected_version: 0 })
        assert.deepStrictEqual(yield* invoke("state.shared.delete", { key }), { deleted: true })
        const again = yield* invoke("state.shared.set", { key, value: 2, expected_version: 0 })
        assert.isAbove(again.version, version)
      }),
    errors: { KeyNotFound: ({ directory: key, invoke }) => failing(invoke("state.shared.delete", { key }), { key }) }
  },
  "state.shared.list": {
    success: ({ agent, directory: key, invoke }) =>
      Effect.gen(function*() {
        yield* invoke("state.shared.set", { key: `${key}/a`, value: 12, expected_version: 0 })
        const listed = yield* invoke("state.shared.list", { prefix: `${key}/` })
        expect(listed).toMatchObject({
          entries: [{ key: `${key}/a`, size_bytes: 2, owner_agent: agent }],
          count: 1,
          total_size_bytes: 2
        })
      }),
    errors: {
      DatabaseError: ({ without }) =>
        Effect.flatMap(
          without("state_entries"),
          ({ invoke }) => failing(invoke("state.shared.list"), { _tag: "CapabilityUnavailable", retryable: true })
        )
    }
  },
  "state.shared.watch": {
    success: ({ another, directory: key, invoke }) =>
      Effect.gen(function*() {
        const other = yield* another({ name: key })
        const { subscription_id } = yield* other.invoke("state.shared.watch", { prefix: `${key}/` })
        yield* invoke("state.shared.set", { key: `${key}/a`, value: 1, expected_version: 0 })
        yield* until(
          "the message of the watch",
          Effect.map(
            other.invoke("comms.receive"),
            ({ messages }) =>
              messages.some(({ channel, message }) =>
                (channel ?? "").includes(subscription_id) && message.includes(`${key}/a`)
              )
          )
        )
      }),
    errors: {
      SubscriptionFailed: ({ another, directory: name }) =>
        Effect.gen(function*() {
          const { invoke } = yield* another({ name })
          yield* Effect.forEach(Array.from({ length: 100 }), () => invoke("state.shared.watch", { prefix: "one/" }), {
            concurrency: 16
          })
          return yield* failing(invoke("state.shared.watch", { prefix: "more/" }), { prefix: "more/" })
        })
    },
    limits: {
      "lasts no longer than its session": (world) =>
        Effect.gen(function*() {
          const approving = yield* withoutSession(world)
          const error = yield* Effect.flip(approving.approved(approving.invoke("state.shared.watch")))
          expect(error).toMatchObject({ _tag: "SubscriptionFailed", retryable: false })
        })
    }
  }
}
