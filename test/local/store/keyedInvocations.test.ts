import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { KeyedInvocations } from "../../../src/local/store/KeyedInvocations.js"
import * as Store from "../../../src/local/store/Store.js"
import { temporaryDatabase, withStore } from "./support.js"

const inMemory = withStore(":memory:")

const key = { agent: "one", idempotencyKey: "key" }

const write = { capability: "filesystem.write", digest: "d1" }

const statusOf = (records: Context.Tag.Service<KeyedInvocations>) =>
  Effect.map(records.find(key), Option.map(({ status }) => status))

describe("the record of keyed invocations", () => {
  it.effect("takes a key once", () =>
    inMemory(Effect.gen(function*() {
      const records = yield* KeyedInvocations
      assert.isTrue(Option.isNone(yield* records.begin(key, write)))
      const again = Option.getOrThrow(yield* records.begin(key, { capability: "filesystem.append", digest: "d2" }))
      assert.deepInclude(again, { ...write, status: "running", result: Option.none() })
      assert.isTrue(Option.isNone(yield* records.begin({ ...key, agent: "two" }, write)))
    })))

  it.effect("keeps a result, whatever is in it, for 24 hours from the end", () =>
    inMemory(Effect.gen(function*() {
      const records = yield* KeyedInvocations
      const result = { success: true, data: { text: "\0 ä \ud83d", list: [1, null] } }
      yield* records.begin(key, write)
      yield* TestClock.adjust("3 hours")
      yield* records.settle(key, "done", result)
      assert.deepStrictEqual(Option.getOrThrow(yield* records.find(key)).result, Option.some(result))
      yield* TestClock.adjust("23 hours")
      yield* records.sweep
      assert.deepStrictEqual(yield* statusOf(records), Option.some("done"))
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* statusOf(records), Option.none())
      assert.isTrue(Option.isNone(yield* records.begin(key, { ...write, digest: "d2" })))
      assert.deepStrictEqual(yield* statusOf(records), Option.some("running"))
    })))

  it.effect("never forgets by age what still runs", () =>
    inMemory(Effect.gen(function*() {
      const records = yield* KeyedInvocations
      yield* records.begin(key, write)
      yield* TestClock.adjust("100 hours")
      yield* records.sweep
      assert.deepStrictEqual(yield* statusOf(records), Option.some("running"))
    })))

  it.effect("keeps a pending one as it is until it is done", () =>
    inMemory(Effect.gen(function*() {
      const records = yield* KeyedInvocations
      yield* records.begin(key, write)
      yield* records.settle(key, "pending", { success: false, error: {} })
      const again = Option.getOrThrow(yield* records.begin(key, write))
      assert.deepInclude(again, { ...write, status: "pending" })
      yield* records.settle(key, "pending", { success: true })
      assert.deepStrictEqual(yield* statusOf(records), Option.some("pending"))
      yield* records.settle(key, "done", { success: true })
      assert.deepStrictEqual(yield* statusOf(records), Option.some("done"))
    })))

  it.effect("lets what was put off begin again", () =>
    inMemory(Effect.gen(function*() {
      const records = yield* KeyedInvocations
      yield* records.begin(key, write)
      yield* records.forget(key)
      assert.isTrue(Option.isNone(yield* records.find(key)))
      assert.isTrue(Option.isNone(yield* records.begin(key, write)))
    })))

  it.effect("does not undo what is done", () =>
    inMemory(Effect.gen(function*() {
      const records = yield* KeyedInvocations
      yield* records.begin(key, write)
      yield* records.settle(key, "done", { success: true, data: 1 })
      yield* records.abandon(key)
      assert.deepStrictEqual(yield* statusOf(records), Option.some("done"))
    })))

  const keyOf = (idempotencyKey: string, agent = "one") => ({ agent, idempotencyKey })

  // A text of 8 characters has 10 bytes as JSON.
  const done = (records: Context.Tag.Service<KeyedInvocations>, idempotencyKey: string, size = 10, agent = "one") =>
    Effect.gen(function*() {
      yield* TestClock.adjust("1 second")
      yield* records.begin(keyOf(idempotencyKey, agent), write)
      yield* records.settle(keyOf(idempotencyKey, agent), "done", "x".repeat(size - 2))
    })

  const statusesOf = (records: Context.Tag.Service<KeyedInvocations>, keys: ReadonlyArray<string>, agent = "one") =>
    Effect.forEach(keys, (key) =>
      Effect.map(records.find(keyOf(key, agent)), (found) => {
        const { result, status } = Option.getOrThrow(found)
        assert.strictEqual(Option.isSome(result), status === "done" || status === "pending")
        return status
      }))

  const withHundred = Effect.provide(
    Store.layer({ filename: ":memory:", keyedInvocations: { maximumResultBytes: 100 } })
  )

  it.effect("drops the oldest results of an agent that has too much, and keeps their keys", () =>
    withHundred(Effect.gen(function*() {
      const records = yield* KeyedInvocations
      yield* records.begin(keyOf("pending"), write)
      yield* records.settle(keyOf("pending"), "pending", "x".repeat(200))
      yield* records.begin(keyOf("running"), write)
      const keys = Array.from({ length: 10 }, (_, index) => `k${index}`)
      for (const key of keys) yield* done(records, key)
      yield* done(records, "k0", 90, "two")
      assert.deepStrictEqual(yield* statusesOf(records, keys), keys.map(() => "done"))
      yield* done(records, "last")
      assert.deepStrictEqual(yield* statusesOf(records, [...keys, "last"]), [
        "unknown",
        "unknown",
        ...Array.from({ length: 9 }, () => "done")
      ])
      assert.deepStrictEqual(yield* statusesOf(records, ["pending", "running"]), ["pending", "running"])
      assert.deepStrictEqual(yield* statusesOf(records, ["k0"], "two"), ["done"])
      const again = Option.getOrThrow(yield* records.begin(keyOf("k0"), write))
      assert.deepInclude(again, { ...write, status: "unknown", result: Option.none() })
    })))

  it.effect("keeps the newest result, unless it is too much by itself", () =>
    withHundred(Effect.gen(function*() {
      const records = yield* KeyedInvocations
      yield* done(records, "small")
      yield* done(records, "large", 100)
      assert.deepStrictEqual(yield* statusesOf(records, ["small", "large"]), ["unknown", "done"])
      yield* done(records, "too large", 101)
      assert.deepStrictEqual(yield* statusesOf(records, ["large", "too large"]), ["unknown", "unknown"])
      yield* done(records, "small again", 100)
      assert.deepStrictEqual(yield* statusesOf(records, ["small again"]), ["done"])
    })))

  it.scoped("counts what was recorded before it started, and not what was forgotten by age, in bytes", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const bounded = Effect.provide(Store.layer({ filename, keyedInvocations: { maximumResultBytes: 100 } }))
      yield* bounded(Effect.gen(function*() {
        const records = yield* KeyedInvocations
        yield* records.begin(keyOf("before"), write)
        yield* records.settle(keyOf("before"), "done", "ä".repeat(24))
      }))
      yield* bounded(Effect.gen(function*() {
        const records = yield* KeyedInvocations
        yield* done(records, "fits", 50)
        assert.deepStrictEqual(yield* statusesOf(records, ["before", "fits"]), ["done", "done"])
        yield* done(records, "one too many", 2)
        assert.deepStrictEqual(yield* statusesOf(records, ["before", "fits"]), ["unknown", "done"])
        yield* TestClock.adjust("24 hours")
        yield* records.sweep
        for (const key of ["a", "b"]) yield* done(records, key, 50)
        assert.deepStrictEqual(yield* statusesOf(records, ["a", "b"]), ["done", "done"])
      }))
    }))

  it.scoped("takes over what a gateway was running that no longer runs, and keeps its name", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const keyOf = (idempotencyKey: string) => ({ ...key, idempotencyKey })
      const journal = { arguments: { path: "a" }, workspace: "/w", source: "run", before: { size: 1 } }
      const name = yield* withStore(filename)(Effect.gen(function*() {
        const records = yield* KeyedInvocations
        for (const each of ["waits", "begun", "uncheckable", "done"]) yield* records.begin(keyOf(each), write)
        yield* records.begin(keyOf("step"), { ...write, transactionId: "tx" })
        yield* records.enter(keyOf("begun"), journal)
        yield* records.enter(keyOf("uncheckable"), undefined)
        yield* records.settle(keyOf("done"), "done", { success: true })
        return yield* records.recordId
      }))
      const other = Context.get(yield* Layer.build(Store.layer({ filename })), KeyedInvocations)
      yield* other.begin(keyOf("theirs"), write)
      yield* withStore(filename)(Effect.gen(function*() {
        const records = yield* KeyedInvocations
        assert.strictEqual(yield* records.recordId, name)
        const orphan = (idempotencyKey: string, stage: string) => ({
          ...keyOf(idempotencyKey),
          ...write,
          stage
        })
        assert.sameDeepMembers([...yield* records.takeOver], [
          orphan("waits", "waiting"),
          orphan("begun", "begun"),
          orphan("uncheckable", "begun")
        ])
        assert.deepStrictEqual(yield* records.journal(keyOf("begun")), Option.some(journal))
        assert.deepStrictEqual(yield* records.journal(keyOf("uncheckable")), Option.none())
        assert.lengthOf(yield* records.takeOver, 0)
        assert.deepStrictEqual(yield* statusesOf(records, ["step", "theirs", "done"]), ["unknown", "running", "done"])
      }))
      assert.notStrictEqual(yield* withStore(":memory:")(Effect.flatMap(KeyedInvocations, (one) => one.recordId)), name)
    }))

  it.scoped("keeps the arguments of an invocation only as long as it runs", () =>
    withStore(":memory:")(Effect.gen(function*() {
      const records = yield* KeyedInvocations
      const sql = yield* SqlClient.SqlClient
      const journal = { arguments: { content: "a secret" }, workspace: "/w", source: "run", before: null }
      const kept = Effect.map(sql`SELECT * FROM keyed_invocations`, (rows) => JSON.stringify(rows).includes("secret"))
      const ends = {
        settled: records.settle(key, "done", { success: true, data: null }),
        abandoned: records.abandon(key),
        forgotten: records.forget(key)
      }
      for (const [how, end] of Object.entries(ends)) {
        yield* records.begin(key, write)
        yield* records.enter(key, journal)
        assert.isTrue(yield* kept, how)
        yield* end
        assert.isFalse(yield* kept, how)
        yield* records.forget(key)
      }
    })))
})
