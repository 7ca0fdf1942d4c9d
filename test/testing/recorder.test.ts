import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { Approvals, Capabilities, Gateway, State, Transaction } from "kruxos"
import * as fs from "node:fs"
import { Recorder } from "../../src/testing/recorder/Recorder.js"
import { within } from "../support/deadline.js"
import { cassettePath, nobody, realGateway, type World } from "./recorderGateways.js"

const files = Effect.gen(function*() {
  const { invoke, invokeResult, list } = yield* Capabilities
  const { content } = yield* invoke("filesystem.read", { path: "README.md" })
  const missing = yield* Effect.flip(invoke("filesystem.read", { path: "none.txt" }))
  const written = yield* invoke("filesystem.write", { path: "new.txt", content: "new\n" })
  const outside = yield* invokeResult("filesystem.read", { path: "../../etc/passwd" })
  const [first, second] = yield* Effect.all([
    invoke("filesystem.stat", { path: "new.txt" }),
    invoke("filesystem.stat", { path: "none.txt" })
  ], { concurrency: "unbounded" })
  const listed = (yield* list({ category: "filesystem" })).length
  return { content, missing, written, outside, first, second, listed }
})

// Fast, so that it is asked more than once before the decision.
const soon = { schedule: Schedule.spaced("20 millis"), timeout: "10 seconds" } as const

const decided = (world: World) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const approvals = yield* Approvals
    const asked = (path: string) =>
      Effect.flatMap(Effect.flip(invoke("filesystem.delete", { path })), (error) =>
        error._tag === "ApprovalRequired" ? Effect.succeed(error) : Effect.dieMessage(error._tag))
    const approved = yield* asked("old.txt")
    const waiting = yield* Effect.fork(approvals.wait(approved, soon))
    yield* Effect.delay(world.approve(approved.approvalId), "100 millis")
    const outcome = yield* Fiber.join(waiting)
    const rejected = yield* asked("kept.txt")
    yield* world.reject(rejected.approvalId, "it is still needed")
    const refused = yield* approvals.wait(rejected, soon)
    return { approved, outcome, refused }
  })

const followed = (world: World) =>
  Effect.gen(function*() {
    const { shared } = yield* State
    const following = yield* shared.changes("jobs/", { current: true, pollInterval: "20 millis" }).pipe(
      Stream.take(3),
      Stream.runCollect,
      Effect.fork
    )
    yield* Effect.sleep("100 millis")
    yield* world.share("jobs/1", "first")
    yield* Effect.sleep("100 millis")
    yield* shared.set("jobs/2", "second", { expectedVersion: 0 })
    return Chunk.toReadonlyArray(yield* Fiber.join(following))
  })

const transactions = Effect.gen(function*() {
  const { invoke } = yield* Capabilities
  const { persistent } = yield* State
  const write = (path: string) => invoke("filesystem.write", { path, content: "in a transaction" })
  yield* Transaction.run(Effect.zipRight(write("a.txt"), persistent.set("count", 1)))
  const failed = yield* Effect.flip(Transaction.run(Effect.zipRight(write("b.txt"), Effect.fail("no"))))
  const { exists } = yield* invoke("filesystem.stat", { path: "b.txt" })
  const conflict = yield* Effect.flip((yield* State).shared.set("jobs/2", "again", { expectedVersion: 7 }))
  return { failed, exists, conflict, count: yield* persistent.get("count") }
})

const program = (world: World) =>
  Effect.gen(function*() {
    const { features, session } = yield* Gateway
    return {
      session: yield* session,
      features: [...yield* features],
      files: yield* files,
      decided: yield* decided(world),
      followed: yield* followed(world),
      transactions: yield* transactions
    }
  })

/** All that a value says. */
const told = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe.each(["memory", "websocket", "http"] as const)("A recording over %s", (transport) => {
  it.scopedLive("is replayed with the same results, and without the gateway", () =>
    Effect.gen(function*() {
      const file = yield* cassettePath
      const recorded = yield* Effect.scoped(Effect.flatMap(
        realGateway(transport),
        ({ layer, world }) =>
          Effect.provide(
            Effect.gen(function*() {
              const result = yield* program(world)
              yield* Recorder.verify
              assert.isFalse(fs.existsSync(file), "it is written at the end")
              return result
            }),
            Recorder.layer(file, layer)
          )
      ))
      assert.strictEqual(recorded.files.content, "# Workspace\n")
      assert.strictEqual(recorded.files.missing._tag, "FileNotFound")
      assert.isTrue(recorded.decided.outcome.approved)
      assert.strictEqual(recorded.decided.refused.reason, "it is still needed")
      assert.strictEqual(recorded.followed[1]?._tag, "Changed")
      assert.isFalse(recorded.transactions.exists)
      assert.strictEqual(recorded.transactions.conflict._tag, "VersionConflict")
      const replayed = yield* program(nobody).pipe(
        Effect.zipLeft(Recorder.verify),
        Effect.provide(Recorder.replay(file)),
        within("the replay")
      )
      assert.deepStrictEqual(told(replayed), told(recorded))
      assert.deepStrictEqual(replayed.session, recorded.session)
      assert.deepStrictEqual(replayed.transactions.count, recorded.transactions.count)
      assert.isTrue(Option.isSome(replayed.transactions.count))
    }))
})
