import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { failing, type Table } from "../Row.js"
import type { World } from "../World.js"
import { mebibyte, withoutSession } from "./stateSupport.js"

const inNoSession = (asking: (world: World) => Effect.Effect<unknown, unknown>) => (world: World) =>
  Effect.gen(function*() {
    const approving = yield* withoutSession(world)
    return yield* failing(approving.approved(asking(approving)), { _tag: "CapabilityUnavailable" })
  })

export const sessionState: Table<"state.session"> = {
  "state.session.get": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        yield* invoke("state.session.set", { key, value: { deep: [1, null] } })
        assert.deepStrictEqual(yield* invoke("state.session.get", { key }), { value: { deep: [1, null] }, found: true })
      }),
    errors: { SessionNotFound: inNoSession(({ invoke }) => invoke("state.session.get", { key: "key" })) },
    limits: {
      "says of a missing key that it was not found": ({ invoke }) =>
        Effect.gen(function*() {
          assert.isFalse((yield* invoke("state.session.get", { key: "missing" })).found)
        }),
      "reaches no other session's": ({ another, directory: key, invoke }) =>
        Effect.gen(function*() {
          yield* invoke("state.session.set", { key, value: 1 })
          const other = yield* another({ name: key })
          assert.isFalse((yield* other.invoke("state.session.get", { key })).found)
        })
    }
  },
  "state.session.set": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* invoke("state.session.set", { key, value: 1 }), { overwritten: false })
        const again = yield* invoke("state.session.set", { key, value: 2 })
        assert.deepStrictEqual(again, { previous_value: 1, overwritten: true })
      }),
    errors: {
      SessionNotFound: inNoSession(({ invoke }) => invoke("state.session.set", { key: "key", value: 1 })),
      QuotaExceeded: ({ elsewhere }) =>
        Effect.gen(function*() {
          const { invoke } = yield* elsewhere()
          const value = "x".repeat(mebibyte - 2)
          yield* Effect.forEach(
            Array.from({ length: 49 }, (_, index) => `${index}`),
            (key) => invoke("state.session.set", { key, value }),
            { concurrency: 4, discard: true }
          )
          return yield* failing(invoke("state.session.set", { key: "last", value }), { limit: 50 * mebibyte })
        })
    }
  },
  "state.session.delete": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        yield* invoke("state.session.set", { key, value: "old" })
        const deleted = yield* invoke("state.session.delete", { key })
        assert.deepStrictEqual(deleted, { previous_value: "old", deleted: true })
        assert.isFalse((yield* invoke("state.session.get", { key })).found)
      }),
    errors: { SessionNotFound: inNoSession(({ invoke }) => invoke("state.session.delete", { key: "key" })) }
  },
  "state.session.list": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        for (const name of ["b", "a"]) yield* invoke("state.session.set", { key: `${key}/${name}`, value: 1 })
        const listed = yield* invoke("state.session.list", { prefix: `${key}/` })
        assert.deepStrictEqual(listed, { keys: [`${key}/a`, `${key}/b`], count: 2 })
      }),
    errors: { SessionNotFound: inNoSession(({ invoke }) => invoke("state.session.list")) }
  },
  "state.session.clear": {
    success: ({ another, directory: name }) =>
      Effect.gen(function*() {
        const { invoke } = yield* another({ name })
        yield* invoke("state.session.set", { key: "a", value: 1 })
        assert.deepStrictEqual(yield* invoke("state.session.clear"), { removed_count: 1 })
        assert.deepStrictEqual(yield* invoke("state.session.list"), { keys: [], count: 0 })
      }),
    errors: { SessionNotFound: inNoSession(({ invoke }) => invoke("state.session.clear")) }
  }
}
