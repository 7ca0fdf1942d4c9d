import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { inOrder } from "../../src/local/inOrder.js"

class One extends Context.Tag("test/One")<One, string>() {}
class Two extends Context.Tag("test/Two")<Two, string>() {}
class Shared extends Context.Tag("test/Shared")<Shared, object>() {}

const layersTelling = (log: Array<string>) => {
  const telling = <I, E, R>(tag: Context.Tag<I, string>, name: string, value: Effect.Effect<string, E, R>) =>
    Layer.scoped(
      tag,
      Effect.acquireRelease(
        Effect.tap(value, () => Effect.sync(() => log.push(`${name} begins`))),
        () => Effect.map(Effect.serviceOption(One), (one) => log.push(`${name} ends, with One: ${one._tag === "Some"}`))
      )
    )
  return {
    one: telling(One, "one", Effect.succeed("1")),
    two: telling(Two, "two", Effect.map(One, (one) => `${one}2`))
  }
}

describe("layers in order", () => {
  it.effect("see those before them, and end in reverse order with the services that they began with", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const { one, two } = layersTelling(log)
      const both = inOrder((nothing, and) => nothing.pipe(and(one), and(two)))
      assert.deepStrictEqual(yield* Effect.provide(Effect.all([One, Two]), both), ["1", "12"])
      assert.deepStrictEqual(log, [
        "one begins",
        "two begins",
        "two ends, with One: true",
        "one ends, with One: false"
      ])
    }))

  it.effect("end where one of them fails", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const { one } = layersTelling(log)
      const failing = inOrder((nothing, and) => nothing.pipe(and(one), and(Layer.fail("no" as const))))
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(failing)))
      assert.deepStrictEqual(exit, Exit.fail("no" as const))
      assert.deepStrictEqual(log, ["one begins", "one ends, with One: false"])
    }))

  it.effect("share the layers that are below several of them", () =>
    Effect.gen(function*() {
      const shared = Layer.sync(Shared, () => ({}))
      const seen: Array<object> = []
      const seeing = Layer.effectDiscard(Effect.map(Shared, (one) => seen.push(one))).pipe(Layer.provide(shared))
      const again = Layer.effectDiscard(Effect.map(Shared, (one) => seen.push(one))).pipe(Layer.provide(shared))
      yield* Effect.scoped(Layer.build(inOrder((nothing, and) => nothing.pipe(and(seeing), and(again)))))
      assert.strictEqual(seen.length, 2)
      assert.strictEqual(seen[0], seen[1])
    }))
})
