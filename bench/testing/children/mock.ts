import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Approvals, Capabilities, State, Transaction } from "kruxos"
import { FileNotFound } from "kruxos/errors"
import { MockGateway, Reply } from "kruxos/testing"

const path = "/workspace/notes.txt"

const read = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.read", { path }))

const remove = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.delete", { path }))

const tests: ReadonlyArray<Effect.Effect<void>> = [
  Effect.gen(function*() {
    const { content } = yield* read
    assert.strictEqual(content, "hello")
    const mock = yield* MockGateway
    assert.deepStrictEqual((yield* mock.invocations).map(({ capability }) => capability), ["filesystem.read"])
    yield* mock.verify
  }).pipe(
    Effect.provide(
      MockGateway.layer({ capabilities: { "filesystem.read": { content: "hello", size: 5, size_bytes: 5 } } })
    ),
    Effect.orDie
  ),

  Effect.gen(function*() {
    const failure = yield* Effect.flip(read)
    assert.strictEqual(failure._tag, "FileNotFound")
  }).pipe(
    Effect.provide(MockGateway.layer({
      capabilities: { "filesystem.read": Reply.failWith(new FileNotFound({ message: "not there", path })) }
    })),
    Effect.orDie
  ),

  Effect.gen(function*() {
    const mock = yield* MockGateway
    yield* mock.humans.approve("filesystem.delete")
    const { deleted_path } = yield* remove.pipe(Approvals.awaitApproval({ timeout: "1 minute" }))
    assert.strictEqual(deleted_path, path)
    yield* mock.verify
  }).pipe(Effect.provide(MockGateway.layer({ files: { "notes.txt": "hello" } })), Effect.orDie),

  Effect.gen(function*() {
    const { shared } = yield* State
    yield* shared.set("key", "value", { expectedVersion: 0 })
    assert.deepStrictEqual((yield* (yield* MockGateway).state).shared, { key: "value" })
  }).pipe(Effect.provide(MockGateway.layer()), Effect.orDie),

  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const failed = yield* Effect.flip(Transaction.run(
      Effect.zipRight(invoke("filesystem.write", { path, content: "new" }), Effect.fail("no" as const))
    ))
    assert.strictEqual(failed, "no")
    assert.strictEqual((yield* read).content, "old")
  }).pipe(Effect.provide(MockGateway.layer({ files: { "notes.txt": "old" } })), Effect.orDie)
]

for (let index = 0; index < 200; index++) {
  it.effect(`test ${index}`, () => tests[index % tests.length] ?? Effect.void)
}
