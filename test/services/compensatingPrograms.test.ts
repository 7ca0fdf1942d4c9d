import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import { isComplete } from "../../src/schema/Rollback.js"
import type { OpenTransaction } from "../../src/services/transaction/OpenTransaction.js"
import { parameters } from "../support/runs.js"
import { type Gateway, gateway } from "./compensatingWorkspace.js"

const file = FastCheck.constantFrom("text.txt", "bytes.bin", "folder/inner.txt", "fresh.txt", "new/deep/file.txt")

const content = FastCheck.constantFrom("", "one", "two one", "äöü🦑", "x".repeat(5000))

const key = FastCheck.constantFrom("k", "l")

const step = FastCheck.oneof(
  FastCheck.record({ do: FastCheck.constantFrom("write" as const, "append" as const, "edit" as const), file, content }),
  FastCheck.record({ do: FastCheck.constantFrom("copy" as const, "move" as const), file, to: file }),
  FastCheck.record({ do: FastCheck.constant("delete" as const), file }),
  FastCheck.record({
    do: FastCheck.constantFrom("session" as const, "persistent" as const, "shared" as const),
    key,
    content
  }),
  FastCheck.record({
    do: FastCheck.constant("unset" as const),
    tier: FastCheck.constantFrom("session" as const, "persistent" as const, "shared" as const),
    key
  }),
  FastCheck.record({ do: FastCheck.constant("clear" as const) })
)

type Step = typeof step extends FastCheck.Arbitrary<infer A> ? A : never

const carryOut = (
  { invoke, path, step: make }: Gateway,
  tx: OpenTransaction,
  step: Step
): Effect.Effect<unknown, unknown> => {
  switch (step.do) {
    case "write":
      return make(tx, "filesystem.write", { path: path(step.file), content: step.content, create_parents: true })
    case "append":
      return make(tx, "filesystem.append", { path: path(step.file), content: step.content })
    case "edit":
      return make(tx, "filesystem.edit", {
        path: path(step.file),
        pattern: "one",
        replace: step.content,
        replace_all: true
      })
    case "copy":
    case "move":
      return make(tx, `filesystem.${step.do}`, { source: path(step.file), destination: path(step.to), overwrite: true })
    case "delete":
      return make(tx, "filesystem.delete", { path: path(step.file) })
    case "session":
    case "persistent":
      return make(tx, `state.${step.do}.set`, { key: step.key, value: step.content })
    case "shared":
      return Effect.flatMap(
        invoke("state.shared.get", { key: step.key }),
        ({ version }) =>
          make(tx, "state.shared.set", { key: step.key, value: step.content, expected_version: version ?? 0 })
      )
    case "unset":
      return make(tx, `state.${step.tier}.delete`, { key: step.key })
    case "clear":
      return make(tx, "state.session.clear", {})
  }
}

const programs = FastCheck.record({
  before: FastCheck.array(step, { maxLength: 6 }),
  inside: FastCheck.array(step, { maxLength: 6 }),
  after: FastCheck.array(step, { maxLength: 6 }),
  isInParallel: FastCheck.boolean(),
  keepsSavepoint: FastCheck.boolean(),
  endsAfterMillis: FastCheck.option(FastCheck.nat(60), { nil: undefined })
})

describe("any steps at a gateway without transactions", () => {
  it.scopedLive("leave no trace when they are rolled back, wherever they were cut off", () =>
    Effect.gen(function*() {
      const made = yield* gateway()
      const runtime = yield* Effect.runtime()
      yield* made.invoke("state.session.set", { key: "k", value: "before" })
      yield* made.invoke("state.persistent.set", { key: "k", value: "before" })
      yield* made.invoke("state.shared.set", { key: "k", value: "before", expected_version: 0 })
      const snapshot = Effect.map(
        Effect.all([made.state("k"), made.state("l")]),
        (state) => ({ state, files: made.onDisk() })
      )
      const all = (tx: OpenTransaction, steps: ReadonlyArray<Step>, isInParallel: boolean) =>
        // What is refused is none of the failures that are meant here.
        Effect.forEach(steps, (each) => Effect.either(carryOut(made, tx, each)), {
          concurrency: isInParallel ? "unbounded" : 1,
          discard: true
        })
      yield* Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(
            programs,
            ({ after, before, endsAfterMillis, inside, isInParallel, keepsSavepoint }) =>
              Runtime.runPromise(runtime)(Effect.scoped(Effect.gen(function*() {
                const start = yield* snapshot
                const outer = yield* made.begin()
                const program = Effect.gen(function*() {
                  yield* all(outer, before, isInParallel)
                  const inner = yield* made.begin({ parent: outer })
                  yield* all(inner, inside, isInParallel)
                  const report = keepsSavepoint ? yield* inner.commit : yield* inner.rollback
                  if (report !== undefined) assert.isTrue(isComplete(report), JSON.stringify(report))
                  yield* all(outer, after, isInParallel)
                })
                const fiber = yield* Effect.fork(program)
                if (endsAfterMillis !== undefined) {
                  yield* Effect.sleep(endsAfterMillis)
                  yield* Fiber.interrupt(fiber)
                } else yield* Fiber.join(fiber)
                const report = yield* outer.rollback
                assert.isTrue(isComplete(report), JSON.stringify(report))
                assert.deepStrictEqual(yield* snapshot, start)
              })))
          ),
          parameters(200)
        )
      )
    }), 120_000)
})
