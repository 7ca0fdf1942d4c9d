import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { Approvals, Capabilities, State } from "kruxos"
import { Recorder } from "../../src/testing/recorder/Recorder.js"
import { cassetteWith, invoked, replay } from "./recorderSupport.js"

const get = (key: string) => Effect.flatMap(State, ({ session }) => session.get(key))

const set = (key: string, value: unknown) => Effect.flatMap(State, ({ session }) => session.set(key, value))

const getting = (step: number, key: string, value: unknown, answer = {}) =>
  invoked(step, "state.session.get", { key }, { found: true, value }, answer)

const setting = (step: number, key: string, value: unknown) =>
  invoked(step, "state.session.set", { key, value }, { overwritten: false })

const failure = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.zipRight(effect, Effect.flip(Recorder.verify))

describe("A replayed cassette", () => {
  it.scoped("answers what was recorded, at once", () =>
    Effect.gen(function*() {
      const file = yield* cassetteWith([setting(2, "a", 1), getting(4, "a", 1), getting(6, "a", 2)])
      const [written, first, second] = yield* replay(
        file,
        Effect.zipLeft(Effect.all([set("a", 1), get("a"), get("a")]), Recorder.verify)
      )
      assert.deepStrictEqual(written, { overwritten: false })
      assert.deepInclude(first, { _tag: "Some", value: { key: "a", value: 1 } })
      assert.deepInclude(second, { _tag: "Some", value: { key: "a", value: 2 } })
    }))

  it.scoped("refuses other arguments, with the difference", () =>
    Effect.gen(function*() {
      const file = yield* cassetteWith([setting(2, "a", { step: 3, total: 10 })])
      yield* replay(
        file,
        Effect.gen(function*() {
          const error = yield* Effect.flip(set("a", { step: 4, total: 10 }))
          assert.strictEqual(error._tag, "CapabilityError")
          assert.strictEqual(error.type, "recorder.drift")
          assert.isFalse(error.retryable)
          assert.include(error.message, "Asked, and not recorded: state.session.set { key: \"a\", value: { step: 4")
          assert.include(error.message, "Recorded as step 2, with other params")
          assert.match(error.message, /arguments\.value\.step\s+expected 3\s+received 4/)
          assert.notInclude(error.message, "total\n")
          const mismatch = yield* Effect.flip(Recorder.verify)
          assert.deepStrictEqual(mismatch.drifts.map(({ _tag }) => _tag), ["NotRecorded", "NotAsked"])
          assert.strictEqual(mismatch.file, file)
          assert.include(mismatch.message, "expected 3")
          assert.include(mismatch.message, "Recorded as step 2, and not asked: state.session.set")
        })
      )
    }))

  it.scoped("refuses what was never asked, and names nothing in its place", () =>
    Effect.gen(function*() {
      const file = yield* cassetteWith([getting(2, "a", 1)])
      yield* replay(
        file,
        Effect.gen(function*() {
          yield* get("a")
          const error = yield* Effect.flip(set("b", 1))
          assert.strictEqual(error.message, "Asked, and not recorded: state.session.set { key: \"b\", value: 1 }")
          const listing = yield* Effect.flip(Effect.flatMap(Capabilities, ({ list }) => list()))
          assert.strictEqual(listing._tag, "ProtocolError")
          assert.include(listing.message, "Asked, and not recorded: capabilities.list")
        })
      )
    }))

  it.scoped("refuses what is asked more often than then", () =>
    Effect.gen(function*() {
      const file = yield* cassetteWith([getting(2, "a", 1), getting(4, "a", 2)])
      const error = yield* replay(file, Effect.all([get("a"), get("a"), Effect.flip(get("a"))]))
      assert.include(error[2].message, "It was recorded 2 times, and has been asked as often before")
    }))

  it.scoped("tells what is no longer asked", () =>
    Effect.gen(function*() {
      const file = yield* cassetteWith([getting(2, "a", 1), setting(4, "b", [1, "two"])])
      const mismatch = yield* replay(file, failure(get("a")))
      assert.strictEqual(mismatch._tag, "CassetteMismatch")
      assert.deepStrictEqual(mismatch.drifts, [{
        _tag: "NotAsked",
        method: "capabilities.invoke",
        params: { capability: "state.session.set", arguments: { key: "b", value: [1, "two"] } },
        step: 4
      }])
      assert.include(mismatch.message, "step 4, and not asked: state.session.set { key: \"b\", value: [1, \"two\"] }")
    }))

  it.scoped("holds nobody up who asks in another order, or leaves something out", () =>
    Effect.gen(function*() {
      const file = yield* cassetteWith([getting(2, "a", 1), getting(4, "b", 2), getting(6, "c", 3)])
      const mismatch = yield* replay(file, failure(Effect.all([get("c"), get("a")])))
      assert.deepStrictEqual(mismatch.drifts.map((drift) => drift._tag === "NotAsked" ? drift.step : 0), [4])
    }))

  it.scoped("answers in the order of then what is asked at the same time", () =>
    Effect.gen(function*() {
      const file = yield* cassetteWith([
        getting(2, "slow", 1, { step: 7 }),
        getting(3, "fast", 2),
        getting(5, "next", 3)
      ])
      const order: Array<string> = []
      const noted = (key: string) => Effect.tap(get(key), () => Effect.sync(() => order.push(key)))
      yield* replay(
        file,
        Effect.all([noted("slow"), Effect.zipRight(noted("fast"), noted("next"))], { concurrency: "unbounded" })
      )
      assert.deepStrictEqual(order, ["fast", "next", "slow"])
    }))

  it.scoped("gives those who ask the same at the same time an answer each", () =>
    Effect.gen(function*() {
      const file = yield* cassetteWith([
        getting(2, "a", 1, { step: 4 }),
        getting(3, "a", 2, { step: 5 }),
        getting(6, "b", 3)
      ])
      const entries = yield* replay(
        file,
        Effect.all([get("a"), get("a"), Effect.timeout(get("b"), "1 second")], { concurrency: "unbounded" }).pipe(
          Effect.zipLeft(Recorder.verify)
        )
      )
      assert.deepStrictEqual(entries.map(Option.map(({ value }) => value)), [1, 2, 3].map(Option.some))
    }))

  const held = cassetteWith([
    getting(2, "slow", 1, { step: 5, at: 10_000 }),
    getting(3, "other", 2)
  ])

  it.scoped("waits for what came before an answer no longer than it took, by the Clock", () =>
    Effect.gen(function*() {
      yield* replay(
        yield* held,
        Effect.gen(function*() {
          const slow = yield* Effect.fork(get("slow"))
          yield* TestClock.adjust("10 seconds")
          assert.strictEqual((yield* Fiber.poll(slow))._tag, "None")
          yield* TestClock.adjust("2 seconds")
          assert.strictEqual((yield* Fiber.join(slow))._tag, "Some")
        })
      )
    }))

  it.scoped("waits for nothing more when something else is asked", () =>
    Effect.gen(function*() {
      yield* replay(
        yield* held,
        Effect.gen(function*() {
          const slow = yield* Effect.fork(get("slow"))
          yield* Effect.flip(get("not recorded"))
          assert.strictEqual((yield* Fiber.join(slow))._tag, "Some")
        })
      )
    }))

  it.scoped("pushes when everything has come that came before, without any time passing", () =>
    Effect.gen(function*() {
      const asking = { request: "approvals.check", params: { approval_id: "apr-1" } }
      const approval = { approval_id: "apr-1", capability: "filesystem.delete" }
      const file = yield* cassetteWith([
        { step: 2, at: 0, ...asking, answer: { step: 3, at: 1, result: { ...approval, status: "pending" } } },
        { step: 4, at: 300, ...asking, answer: { step: 5, at: 301, result: { ...approval, status: "pending" } } },
        {
          step: 6,
          at: 9000,
          notification: "notifications/kruxos/approval_resolved",
          params: { approval_id: "apr-1", status: "rejected" }
        },
        {
          step: 7,
          at: 9001,
          ...asking,
          answer: { step: 8, at: 9002, result: { ...approval, status: "rejected", reason: "no" } }
        }
      ])
      yield* replay(
        file,
        Effect.gen(function*() {
          const outcome = yield* Effect.flatMap(Approvals, ({ wait }) => wait("apr-1"))
          assert.deepInclude(outcome, { status: "rejected", reason: "no" })
          // What asks for news may do so as often as it likes.
          assert.deepInclude(yield* Effect.flatMap(Approvals, ({ check }) => check("apr-1")), { status: "rejected" })
          yield* Recorder.verify
        })
      )
    }))

  it.scoped("finds the same changes by lists where nothing is pushed, however often it is asked", () =>
    Effect.gen(function*() {
      const at = "2026-01-02T03:04:05Z"
      const listing = (step: number, ...keys: ReadonlyArray<string>) =>
        invoked(step, "state.shared.list", {}, {
          entries: keys.map((key) => ({ key, version: 1, size_bytes: 3, owner_agent: "other", updated_at: at })),
          count: keys.length,
          total_size_bytes: 3 * keys.length
        })
      const file = yield* cassetteWith([
        listing(2),
        listing(4),
        listing(6, "a"),
        invoked(8, "state.shared.get", { key: "a" }, {
          found: true,
          value: 1,
          version: 1,
          owner_agent: "other",
          updated_at: at
        }),
        listing(10, "a")
      ], { pushes: false })
      yield* replay(
        file,
        Effect.gen(function*() {
          const { shared } = yield* State
          const changes = yield* Effect.fork(Stream.runCollect(Stream.take(shared.changes(""), 1)))
          yield* TestClock.adjust("10 seconds")
          const [change] = Chunk.toReadonlyArray(yield* Fiber.join(changes))
          assert.deepInclude(change, { _tag: "Changed", key: "a", version: 1 })
          yield* shared.list()
          yield* shared.list()
          yield* Recorder.verify
        })
      )
    }))

  it.scoped("compares neither keys of idempotency nor traces, and not what was taken out of it", () =>
    Effect.gen(function*() {
      const file = yield* cassetteWith([
        invoked(2, "filesystem.write", {
          path: "a.txt",
          content: "key: [secret]!"
        }, {
          path: "/workspace/a.txt",
          size: 3,
          checksum: "0".repeat(64)
        })
      ])
      const write = (content: string) =>
        Effect.flatMap(
          Capabilities,
          ({ invoke }) => invoke("filesystem.write", { path: "a.txt", content }, { idempotencyKey: "mine" })
        )
      yield* replay(file, Effect.zipRight(write("key: hunter2!"), Recorder.verify))
      const error = yield* replay(file, Effect.flip(write("key: hunter2?")))
      assert.strictEqual(error.type, "recorder.drift")
      const masked = yield* replay(file, Effect.flip(write("key: hunter2?")), { redact: ["hunter2"] })
      assert.notInclude(masked.message, "hunter2")
    }))
})
