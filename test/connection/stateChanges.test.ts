import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { ServerNotification } from "../../src/connection/Link.js"
import { gather } from "../../src/connection/stateChanges.js"

const changed = (key: string, version: number, more: object = {}) => ({
  method: "notifications/kruxos/state_changed",
  params: { key, version, owner_agent: "other", deleted: false, ...more }
})

/** What gathers keys, and how it is told of them. */
const gathering = (prefix: string, limit: number) =>
  Effect.gen(function*() {
    const listeners = new Set<(notification: ServerNotification) => void>()
    let calls = 0
    const keys = yield* gather(
      {
        listen: (listener) =>
          Effect.acquireRelease(
            Effect.sync(() => void listeners.add(listener)),
            () => Effect.sync(() => void listeners.delete(listener))
          )
      },
      prefix,
      limit,
      () => {
        calls++
      }
    )
    const tell = (notification: ServerNotification) => listeners.forEach((listener) => listener(notification))
    return { keys, tell, calls: () => calls, listeners }
  })

describe("the keys that a gateway tells of", () => {
  it.scoped("are each there once, in the order of their last changes", () =>
    Effect.gen(function*() {
      const { calls, keys, tell } = yield* gathering("", 10)
      tell(changed("a", 1))
      tell(changed("b", 1))
      tell(changed("a", 2))
      assert.strictEqual(calls(), 3)
      assert.deepStrictEqual(keys.take(1), [["b", { version: 1, ownerAgent: "other" }]])
      assert.deepStrictEqual(keys.take(5), [["a", { version: 2, ownerAgent: "other" }]])
      assert.deepStrictEqual(keys.take(5), [])
    }))

  it.scoped("keep what was told of them when they are added", () =>
    Effect.gen(function*() {
      const { keys, tell } = yield* gathering("", 10)
      tell(changed("a", 3, { owner_agent: null }))
      keys.add("b")
      keys.add("a")
      assert.deepStrictEqual(keys.take(5), [["b", undefined], ["a", { version: 3, ownerAgent: undefined }]])
    }))

  it.scoped("begin with the prefix, and come in notifications that can be read", () =>
    Effect.gen(function*() {
      const { calls, keys, tell } = yield* gathering("config.", 10)
      tell(changed("other", 1))
      tell({ method: "notifications/kruxos/message", params: { key: "config.a", version: 1 } })
      for (const params of [undefined, null, 1, [], {}, { key: "config.a" }, { key: 1, version: 1 }]) {
        tell({ method: "notifications/kruxos/state_changed", params })
      }
      assert.strictEqual(calls(), 0)
      assert.deepStrictEqual(keys.take(1), [])
    }))

  it.scoped("have a bound, and it is known when it was met", () =>
    Effect.gen(function*() {
      const { keys, tell } = yield* gathering("", 2)
      tell(changed("a", 1))
      tell(changed("b", 1))
      tell(changed("a", 2))
      assert.isFalse(keys.mayLack())
      tell(changed("c", 1))
      assert.isTrue(keys.mayLack())
      assert.deepStrictEqual(keys.take(5).map(([key]) => key), ["b", "a"])
      assert.isTrue(keys.mayLack())
      keys.complete()
      assert.isFalse(keys.mayLack())
    }))

  it.scoped("may be incomplete where very much was told, of whatever", () =>
    Effect.gen(function*() {
      const { keys, tell } = yield* gathering("a", 2)
      for (let n = 0; n < 999; n++) tell({ method: "notifications/kruxos/message", params: {} })
      assert.isFalse(keys.mayLack())
      tell(changed("b", 1))
      assert.isTrue(keys.mayLack())
    }))

  it.effect("are gathered until the scope closes", () =>
    Effect.gen(function*() {
      const { listeners } = yield* Effect.scoped(gathering("", 2))
      assert.strictEqual(listeners.size, 0)
    }))
})
