import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Capabilities, State, Transaction } from "kruxos"
import { LocalGateway } from "kruxos/local"

const path = "/workspace/notes.txt"

const read = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.read", { path }))

const remove = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.delete", { path }))

const over = Effect.provide(LocalGateway.layerTest({ files: { "notes.txt": "old" } }))

const tests: ReadonlyArray<Effect.Effect<void>> = [
  Effect.gen(function*() {
    assert.strictEqual((yield* read).content, "old")
  }).pipe(over, Effect.orDie),

  Effect.gen(function*() {
    assert.strictEqual((yield* Effect.flip(remove))._tag, "ApprovalRequired")
  }).pipe(over, Effect.orDie),

  Effect.gen(function*() {
    const { shared } = yield* State
    yield* shared.set("key", "value", { expectedVersion: 0 })
    assert.strictEqual((yield* shared.list()).length, 1)
  }).pipe(over, Effect.orDie),

  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const failed = yield* Effect.flip(Transaction.run(
      Effect.zipRight(invoke("filesystem.write", { path, content: "new" }), Effect.fail("no" as const))
    ))
    assert.strictEqual(failed, "no")
    assert.strictEqual((yield* read).content, "old")
  }).pipe(over, Effect.orDie)
]

for (let index = 0; index < 200; index++) {
  it.effect(`test ${index}`, () => tests[index % tests.length] ?? Effect.void)
}
