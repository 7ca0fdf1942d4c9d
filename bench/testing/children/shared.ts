import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Approvals, Capabilities, type GatewayServices, State, Transaction } from "kruxos"
import { FileNotFound } from "kruxos/errors"
import { MockGateway, Reply } from "kruxos/testing"

const count = 200

const pathOf = (index: number) => `/workspace/${index}.txt`

const files = Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}.txt`, "old"]))

const read = (path: string) => Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.read", { path }))

type Test = Effect.Effect<void, never, GatewayServices | MockGateway>

// What the tests of `mock.ts` do, each over files and keys of its own.
const tests: ReadonlyArray<(index: number) => Test> = [
  (index) =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const path = pathOf(index)
      yield* mock.expect("filesystem.read", { path }, { content: "hello", size: 5 })
      assert.strictEqual((yield* read(path)).content, "hello")
      assert.strictEqual((yield* mock.invocations).at(-1)?.capability, "filesystem.read")
      yield* mock.verify
    }).pipe(Effect.orDie),

  (index) =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const path = pathOf(index)
      const missing = new FileNotFound({ message: "not there", path })
      yield* mock.expect("filesystem.read", { path }, Reply.failWith(missing))
      assert.strictEqual((yield* Effect.flip(read(path)))._tag, "FileNotFound")
    }).pipe(Effect.orDie),

  (index) =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const { invoke } = yield* Capabilities
      const path = pathOf(index)
      yield* mock.humans.approve("filesystem.delete")
      const removed = yield* invoke("filesystem.delete", { path }).pipe(
        Approvals.awaitApproval({ timeout: "1 minute" })
      )
      assert.strictEqual(removed.deleted_path, path)
      yield* mock.verify
    }).pipe(Effect.orDie),

  (index) =>
    Effect.gen(function*() {
      const { shared } = yield* State
      yield* shared.set(`key-${index}`, "value", { expectedVersion: 0 })
      assert.strictEqual((yield* (yield* MockGateway).state).shared[`key-${index}`], "value")
    }).pipe(Effect.orDie),

  (index) =>
    Effect.gen(function*() {
      const { invoke } = yield* Capabilities
      const path = pathOf(index)
      const failed = yield* Effect.flip(Transaction.run(
        Effect.zipRight(invoke("filesystem.write", { path, content: "new" }), Effect.fail("no" as const))
      ))
      assert.strictEqual(failed, "no")
      assert.strictEqual((yield* read(path)).content, "old")
    }).pipe(Effect.orDie)
]

it.layer(MockGateway.layer({ files }))((it) => {
  for (let index = 0; index < count; index++) {
    it.effect(`test ${index}`, () => tests[index % tests.length]?.(index) ?? Effect.void)
  }
})
