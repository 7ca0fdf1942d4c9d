import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { VersionConflict } from "../../../src/errors/general.js"
import { temporaryDatabase } from "../store/support.js"
import { author, stateStore } from "./stateSupport.js"

const one = author("one")

const failureOf = <A, E>(effect: Effect.Effect<A, E>) => Effect.flip(effect)

describe("a view of the state", () => {
  it.scoped("holds what reads and writes keys, and nothing else", () =>
    Effect.gen(function*() {
      const { makeView } = yield* stateStore()
      const { holds } = yield* makeView
      assert.isTrue(holds("state.shared.set"))
      assert.isTrue(holds("state.persistent.history"))
      for (
        const other of ["state.shared.watch", "state.session.set", "state.snapshot.create", "state.backup.restore"]
      ) {
        assert.isFalse(holds(other), other)
      }
    }))

  it.scoped("is seen by nobody else before the commit, and reads what others commit", () =>
    Effect.gen(function*() {
      const { makeView, persistent, shared, told } = yield* stateStore()
      const view = yield* makeView
      assert.strictEqual(yield* view.inside(shared.set("k", "1", 0, one)), 1)
      yield* view.inside(persistent.set("k", "2", one))
      assert.isUndefined(yield* shared.get("k"))
      assert.isUndefined(yield* persistent.get("one", "k"))
      yield* shared.set("other", "3", 0, one)
      assert.deepInclude(yield* view.inside(shared.get("other")), { value: 3 })
      assert.strictEqual(view.writes(), 2)
      yield* view.commit(Effect.void)
      assert.deepInclude(yield* shared.get("k"), { value: 1, version: 1, owner: "one" })
      assert.deepInclude(yield* persistent.get("one", "k"), { value: 2 })
      assert.deepStrictEqual(told.map(({ key, number }) => [key, number]), [["other", 1], ["k", 2]])
      assert.deepInclude(yield* shared.trace("k", 0, one.source), { source: one.source, isLive: true })
    }))

  it.scoped("says which key has changed since it was written first, and can be dropped then", () =>
    Effect.gen(function*() {
      const { makeView, shared, told } = yield* stateStore()
      yield* shared.set("k", "1", 0, one)
      const view = yield* makeView
      yield* view.inside(shared.set("mine", "1", 0, one))
      yield* view.inside(shared.set("k", "2", 1, one))
      yield* shared.set("k", "3", 1, author("two"))
      const alongside = { ran: false }
      const conflict = yield* failureOf(view.commit(Effect.sync(() => {
        alongside.ran = true
      })))
      assert.instanceOf(conflict, VersionConflict)
      assert.deepInclude(conflict, { resource: "k", expectedVersion: 1, actualVersion: 2 })
      assert.isFalse(alongside.ran)
      yield* view.drop
      assert.instanceOf(yield* failureOf(view.inside(shared.set("late", "1", 0, one))), SqlError)
      assert.instanceOf(yield* failureOf(view.commit(Effect.void)), SqlError)
      assert.isUndefined(yield* shared.get("mine"))
      assert.deepStrictEqual(told.map(({ key, version }) => [key, version]), [["k", 1], ["k", 2]])
    }))

  it.scoped("finds out that a key was removed and made again, and that a missing one has come and gone", () =>
    Effect.gen(function*() {
      const { makeView, shared } = yield* stateStore()
      yield* shared.set("k", "1", 0, one)
      const view = yield* makeView
      yield* view.inside(shared.set("k", "2", 1, one))
      const other = yield* makeView
      yield* other.inside(shared.set("new", "2", 0, one))
      yield* shared.remove("k", one)
      yield* shared.set("k", "1", 0, one)
      yield* shared.set("new", "1", 0, one)
      yield* shared.remove("new", one)
      assert.deepInclude(yield* failureOf(view.commit(Effect.void)), { expectedVersion: 1, actualVersion: 2 })
      assert.deepInclude(yield* failureOf(other.commit(Effect.void)), { expectedVersion: 0, actualVersion: 0 })
    }))

  it.scoped("commits with what happens alongside, or not at all", () =>
    Effect.gen(function*() {
      const { makeView, shared, sql, told } = yield* stateStore()
      yield* sql`CREATE TABLE journal (entry BIGINT NOT NULL)`
      const view = yield* makeView
      yield* view.inside(shared.set("k", "1", 0, one))
      const entry = sql`INSERT INTO journal VALUES (1)`
      assert.strictEqual(yield* failureOf(view.commit(Effect.zipRight(entry, Effect.fail("no")))), "no")
      assert.isTrue(Exit.isFailure(yield* Effect.exit(view.commit(Effect.zipRight(entry, Effect.die("bug"))))))
      assert.isUndefined(yield* shared.get("k"))
      assert.deepStrictEqual(told, [])
      yield* view.commit(entry)
      assert.deepInclude(yield* shared.get("k"), { version: 1 })
      assert.strictEqual((yield* sql`SELECT * FROM journal`).length, 1)
      assert.strictEqual(told.length, 1)
      assert.instanceOf(yield* failureOf(view.commit(entry)), SqlError)
    }))

  it.scoped("is not committed while the database is another's, and can be committed later", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const { makeView, shared, told } = yield* stateStore({ filename, busyTimeout: 0 })
      const others = yield* stateStore({ filename, busyTimeout: 0 })
      const view = yield* makeView
      const held = yield* Deferred.make<void>()
      const release = yield* Deferred.make<void>()
      const holder = yield* Effect.fork(
        others.sql.withTransaction(Effect.zipRight(Deferred.succeed(held, undefined), Deferred.await(release)))
      )
      yield* Deferred.await(held)
      // A view needs nobody's leave to write.
      yield* view.inside(shared.set("k", "1", 0, one))
      assert.instanceOf(yield* failureOf(view.commit(Effect.void)), SqlError)
      assert.deepStrictEqual(told, [])
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(holder)
      yield* view.commit(Effect.void)
      assert.deepInclude(yield* others.shared.get("k"), { version: 1 })
    }))

  it.scoped("is not cut off while it commits", () =>
    Effect.gen(function*() {
      const { makeView, shared, sql, told } = yield* stateStore()
      const view = yield* makeView
      yield* view.inside(shared.set("k", "1", 0, one))
      const release = yield* Deferred.make<void>()
      const holder = yield* Effect.fork(sql.withTransaction(Deferred.await(release)))
      yield* Effect.yieldNow()
      const committing = yield* Effect.fork(view.commit(Effect.void))
      yield* Effect.yieldNow()
      const interrupting = yield* Effect.fork(Fiber.interrupt(committing))
      yield* Effect.yieldNow()
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(holder)
      yield* Fiber.join(interrupting)
      assert.deepInclude(yield* shared.get("k"), { version: 1 })
      assert.strictEqual(told.length, 1)
    }))

  it.scoped("counts quotas with what it has written, and conflicts where others took the room since", () =>
    Effect.gen(function*() {
      const limits = { quotaBytes: 100, maximumKeys: 2 }
      const { makeView, persistent, shared } = yield* stateStore({ persistentState: limits, sharedState: limits })
      const view = yield* makeView
      const large = JSON.stringify("x".repeat(60))
      yield* view.inside(shared.set("k", large, 0, one))
      assert.deepInclude(yield* failureOf(view.inside(shared.set("k", large, 1, one))), {
        _tag: "QuotaExceeded",
        used: 63,
        limit: 100
      })
      yield* view.inside(shared.remove("k", one))
      yield* view.inside(shared.set("k", large, 0, one))
      for (const key of ["a", "b"]) yield* view.inside(persistent.set(key, "1", one))
      assert.deepInclude(yield* failureOf(view.inside(persistent.set("c", "1", one))), {
        _tag: "ResourceExhausted",
        resource: "state_keys"
      })
      yield* persistent.set("a", "1", author("two"))
      yield* shared.set("other", large, 0, one)
      const conflict = yield* failureOf(view.commit(Effect.void))
      assert.instanceOf(conflict, VersionConflict)
      assert.include(conflict.message, "room")
      assert.isUndefined(yield* persistent.get("one", "a"))
      yield* shared.remove("other", one)
      yield* view.commit(Effect.void)
      assert.strictEqual(yield* shared.used, 63)
    }))

  it.scoped("takes a thousand writes, those of savepoints included, and gives back the room of those that are dropped", () =>
    Effect.gen(function*() {
      const { makeView, persistent, shared } = yield* stateStore()
      const view = yield* makeView
      const child = view.nested()
      for (let count = 0; count < 600; count++) yield* child.inside(persistent.set(`k${count % 7}`, "1", one))
      for (let count = 0; count < 400; count++) yield* view.inside(shared.set(`k${count}`, "1", 0, one))
      const limit = { _tag: "ResourceExhausted", resource: "transaction_writes", limit: 1000, current: 1000 } as const
      assert.deepInclude(yield* failureOf(view.inside(persistent.set("more", "1", one))), limit)
      assert.deepInclude(yield* failureOf(child.inside(shared.remove("k1", one))), limit)
      assert.isFalse(yield* view.inside(shared.remove("missing", one)))
      yield* child.drop
      assert.isTrue(yield* view.inside(shared.remove("k1", one)))
      yield* view.commit(Effect.void)
      assert.strictEqual((yield* shared.list("")).count, 399)
    }))

  it.scoped("takes 16 MiB of values", () =>
    Effect.gen(function*() {
      const { makeView, persistent } = yield* stateStore()
      const view = yield* makeView
      const large = JSON.stringify("x".repeat(1024 * 1024 - 2))
      for (let count = 0; count < 16; count++) yield* view.inside(persistent.set("k", large, one))
      assert.deepInclude(yield* failureOf(view.inside(persistent.set("k", "1", one))), {
        _tag: "ResourceExhausted",
        resource: "transaction_bytes"
      })
    }))

  it.scoped("keeps versions apart where a key was removed so long ago that it is forgotten at the commit", () =>
    Effect.gen(function*() {
      const { makeView, shared, sql } = yield* stateStore()
      yield* shared.set("first", "1", 0, one)
      yield* shared.set("first", "2", 1, one)
      yield* shared.remove("first", one)
      yield* sql`
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 9999)
        INSERT INTO state_entries
          (space, entry_key, version, is_removed, size, owner, created_at, updated_at, change_number, source)
        SELECT '*', 'removed' || n, 1, 1, 0, 'one', 1, 1, n + 3, 'test' FROM numbers`
      yield* sql`
        UPDATE state_spaces SET removed_count = 10000, change_count = change_count + 9999 WHERE space = '*'`
      yield* shared.set("k", "1", 0, one)
      const view = yield* makeView
      yield* view.inside(shared.remove("k", one))
      assert.strictEqual(yield* view.inside(shared.set("first", "3", 0, one)), 3)
      assert.strictEqual(yield* view.inside(shared.set("new", "1", 0, one)), 1)
      yield* view.commit(Effect.void)
      assert.deepInclude(yield* shared.get("first"), { version: 3 })
      assert.deepInclude(yield* shared.get("new"), { version: 1 })
      const late = yield* makeView
      assert.strictEqual(yield* late.inside(shared.set("late", "1", 0, one)), 1)
      for (const key of ["first", "new"]) yield* shared.remove(key, one)
      // The oldest that was removed is forgotten, and no new key may have its version.
      assert.instanceOf(yield* failureOf(late.commit(Effect.void)), VersionConflict)
      const removed = yield* sql`SELECT 1 FROM state_entries WHERE space = '*' AND is_removed = 1`
      assert.strictEqual(removed.length, 10_000)
    }))
})

describe("savepoints", () => {
  it.scoped("beside each other do not see each other, and the second to write a key conflicts", () =>
    Effect.gen(function*() {
      const { makeView, shared } = yield* stateStore()
      yield* shared.set("k", "0", 0, one)
      const view = yield* makeView
      const [first, second, third] = [view.nested(), view.nested(), view.nested()]
      assert.strictEqual(yield* first.inside(shared.set("k", "1", 1, one)), 2)
      assert.strictEqual(yield* second.inside(shared.set("k", "2", 1, one)), 2)
      yield* third.inside(shared.set("mine", "3", 0, one))
      yield* first.merge
      assert.deepInclude(yield* failureOf(second.merge), {
        _tag: "VersionConflict",
        expectedVersion: 1,
        actualVersion: 2
      })
      yield* second.drop
      yield* third.merge
      assert.instanceOf(yield* failureOf(first.inside(shared.get("k"))), SqlError)
      assert.deepInclude(yield* shared.get("k"), { version: 1 })
      assert.strictEqual(view.writes(), 2)
      yield* view.commit(Effect.void)
      assert.deepInclude(yield* shared.get("k"), { value: 1, version: 2 })
      assert.deepInclude(yield* shared.get("mine"), { value: 3 })
    }))

  it.scoped("read what is around when they read, conflict with it, and are merged with it", () =>
    Effect.gen(function*() {
      const { makeView, persistent } = yield* stateStore()
      const view = yield* makeView
      const child = view.nested()
      yield* view.inside(persistent.set("k", "1", one))
      assert.deepInclude(yield* child.inside(persistent.set("k", "2", one)), { version: 2, previousVersion: 1 })
      const late = view.nested()
      yield* late.inside(persistent.set("k", "3", one))
      yield* child.merge
      assert.deepInclude(yield* failureOf(late.merge), { _tag: "VersionConflict", resource: "k" })
      const grandchild = view.nested().nested()
      assert.deepStrictEqual(
        (yield* grandchild.inside(persistent.history("one", "k"))).map(({ value }) => value),
        [2, 1]
      )
      assert.isTrue(Exit.isFailure(yield* Effect.exit(grandchild.commit(Effect.void))))
      yield* view.commit(Effect.void)
      assert.strictEqual((yield* persistent.history("one", "k")).length, 2)
      assert.instanceOf(yield* failureOf(late.inside(persistent.get("one", "k"))), SqlError)
    }))

  it.scoped("know which versions are gone, of those around and of the store", () =>
    Effect.gen(function*() {
      const { makeView, persistent } = yield* stateStore()
      for (let version = 1; version <= 99; version++) yield* persistent.set("full", "1", one)
      const view = yield* makeView
      yield* view.inside(persistent.set("full", "1", one))
      for (const value of ["1", "2"]) yield* view.inside(persistent.set("k", value, one))
      const child = view.nested()
      for (const value of ["2", "3"]) yield* child.inside(persistent.set("full", value, one))
      yield* child.inside(persistent.remove("one", "k", one))
      yield* child.inside(persistent.set("k", "3", one))
      const versions = (key: string) =>
        Effect.map(persistent.history("one", key), (found) => found.map(({ version }) => version))
      const expected = Array.from({ length: 100 }, (_, index) => 102 - index)
      const check = Effect.gen(function*() {
        assert.deepStrictEqual(yield* versions("full"), expected)
        assert.deepStrictEqual(yield* versions("k"), [3])
        for (const version of [1, 2]) {
          assert.isUndefined(yield* persistent.get("one", "k", version))
          assert.isUndefined(yield* persistent.get("one", "full", version))
        }
      })
      yield* child.inside(check)
      assert.deepStrictEqual(yield* view.inside(versions("k")), [2, 1])
      yield* child.merge
      yield* view.inside(check)
      for (const value of ["4", "5"]) yield* view.inside(persistent.set("k", value, one))
      const removing = view.nested()
      yield* removing.inside(persistent.remove("one", "k", one))
      yield* removing.merge
      yield* view.inside(persistent.set("k", "3", one))
      assert.deepStrictEqual(yield* view.inside(versions("k")), [6])
      yield* view.commit(Effect.void)
      assert.deepStrictEqual(yield* versions("full"), expected)
      assert.deepStrictEqual(yield* versions("k"), [6])
    }))

  it.scoped("are merged with what a transaction of SQLite around does, or not at all", () =>
    Effect.gen(function*() {
      const { makeView, shared, sql } = yield* stateStore()
      const view = yield* makeView
      const child = view.nested()
      yield* child.inside(shared.set("k", "1", 0, one))
      assert.strictEqual(yield* failureOf(sql.withTransaction(Effect.zipRight(child.merge, Effect.fail("no")))), "no")
      assert.strictEqual(view.writes(), 0)
      yield* sql.withTransaction(child.merge)
      assert.strictEqual(view.writes(), 1)
    }))

  it.scoped("together may not have more than there is room for", () =>
    Effect.gen(function*() {
      const { makeView, shared } = yield* stateStore({ sharedState: { quotaBytes: 100 } })
      const view = yield* makeView
      const children = [view.nested(), view.nested()]
      const large = JSON.stringify("x".repeat(60))
      for (const [index, child] of children.entries()) yield* child.inside(shared.set(`k${index}`, large, 0, one))
      const merged = yield* Effect.forEach(children, (child) => Effect.either(child.merge))
      assert.deepStrictEqual(merged.map(Either.isRight), [true, false])
    }))
})
