import { assert, expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { failing, type Row, type Table } from "../Row.js"
import { mebibyte, taking } from "./stateSupport.js"

const keysAre: Row = ({ directory: key, invokeDynamic }) =>
  Effect.gen(function*() {
    yield* invokeDynamic("state.persistent.set", { key: `${key}${"x".repeat(512 - key.length)}`, value: 1 })
    const error = yield* Effect.flip(invokeDynamic("state.persistent.set", { key: "x".repeat(513), value: 1 }))
    expect(error).toMatchObject({ _tag: "InvalidInput", field: "key" })
  })

export const persistentState: Table<"state.persistent"> = {
  "state.persistent.get": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        yield* invoke("state.persistent.set", { key, value: "first" })
        yield* invoke("state.persistent.set", { key, value: "second" })
        const now = yield* invoke("state.persistent.get", { key })
        expect(now).toMatchObject({ found: true, value: "second" })
        const before = yield* invoke("state.persistent.get", { key, version: (now.version ?? 0) - 1 })
        expect(before).toMatchObject({ found: true, value: "first" })
      }),
    errors: {},
    limits: {
      "says of a missing key that it was not found": ({ directory: key, invoke }) =>
        Effect.gen(function*() {
          assert.isFalse((yield* invoke("state.persistent.get", { key })).found)
        })
    }
  },
  "state.persistent.set": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        const first = yield* invoke("state.persistent.set", { key, value: 1 })
        assert.strictEqual(first.previous_version, 0)
        const second = yield* invoke("state.persistent.set", { key, value: 2 })
        assert.deepStrictEqual(second, { version: first.version + 1, previous_version: first.version })
      }),
    errors: {
      QuotaExceeded: (world) =>
        Effect.gen(function*() {
          const full = yield* world.elsewhere()
          yield* full.invoke("state.persistent.set", { key: "there", value: 1 })
          yield* taking(full, full.agent, 100 * mebibyte)
          return yield* failing(full.invoke("state.persistent.set", { key: "new", value: 1 }), {
            used: 100 * mebibyte,
            limit: 100 * mebibyte
          })
        })
    },
    limits: {
      "takes keys of 512 bytes": keysAre,
      "takes values of a mebibyte": ({ directory: key, invoke }) =>
        Effect.gen(function*() {
          yield* invoke("state.persistent.set", { key, value: "x".repeat(mebibyte - 2) })
          const error = yield* Effect.flip(invoke("state.persistent.set", { key, value: "x".repeat(mebibyte - 1) }))
          expect(error).toMatchObject({ _tag: "InvalidInput", field: "value" })
        }),
      "keeps the last 100 versions of a key": ({ directory: key, invoke }) =>
        Effect.gen(function*() {
          yield* Effect.forEach(
            Array.from({ length: 102 }),
            (_, value) => invoke("state.persistent.set", { key, value })
          )
          const { count, versions } = yield* invoke("state.persistent.history", { key })
          assert.deepStrictEqual([count, versions[0]?.value, versions.at(-1)?.value], [100, 101, 2])
        })
    }
  },
  "state.persistent.delete": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        yield* invoke("state.persistent.set", { key, value: 1 })
        assert.deepStrictEqual(yield* invoke("state.persistent.delete", { key }), { deleted: true })
        expect(yield* Effect.flip(invoke("state.persistent.history", { key }))).toMatchObject({ _tag: "KeyNotFound" })
      }),
    errors: {
      KeyNotFound: ({ directory: key, invoke }) => failing(invoke("state.persistent.delete", { key }), { key })
    }
  },
  "state.persistent.list": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        yield* invoke("state.persistent.set", { key: `${key}/a`, value: "four" })
        const listed = yield* invoke("state.persistent.list", { prefix: `${key}/` })
        expect(listed).toMatchObject({ entries: [{ key: `${key}/a`, size_bytes: 6 }], count: 1, total_size_bytes: 6 })
      }),
    errors: {
      DatabaseError: ({ without }) =>
        Effect.flatMap(
          without("state_entries"),
          ({ invoke }) => failing(invoke("state.persistent.list"), { _tag: "CapabilityUnavailable", retryable: true })
        )
    }
  },
  "state.persistent.query": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        yield* invoke("state.persistent.set", { key: `${key}/a`, value: [1] })
        const found = yield* invoke("state.persistent.query", { prefix: `${key}/` })
        expect(found).toMatchObject({ entries: [{ key: `${key}/a`, value: [1] }], count: 1 })
      }),
    errors: {
      DatabaseError: ({ without }) =>
        Effect.flatMap(
          without("state_entries"),
          ({ invoke }) =>
            failing(invoke("state.persistent.query", { prefix: "" }), {
              _tag: "CapabilityUnavailable",
              retryable: true
            })
        )
    }
  },
  "state.persistent.history": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        for (const value of [1, 2, 3]) yield* invoke("state.persistent.set", { key, value })
        const { count, versions } = yield* invoke("state.persistent.history", { key, limit: 2 })
        assert.strictEqual(count, 2)
        assert.deepStrictEqual(versions.map(({ value }) => value), [3, 2])
      }),
    errors: {
      KeyNotFound: ({ directory: key, invoke }) => failing(invoke("state.persistent.history", { key }), { key })
    }
  }
}
