import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { quick } from "../../../src/local/store/LibsqlClient.js"
import { client, numbers, temporaryDatabase, valuesOf } from "./support.js"

const insert = "INSERT INTO numbers VALUES (?)"

describe("statements at once", () => {
  it.scoped("are all committed, and told then, or none is", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      const { atOnce, atomically } = quick(sql)
      const told: Array<number> = []
      const add = (...values: ReadonlyArray<number>) =>
        atomically((rowsOf) => {
          for (const value of values) rowsOf(insert, [value])
          return values.length
        }, (count) => void told.push(count))
      assert.strictEqual(yield* add(1, 2), 2)
      assert.instanceOf(yield* Effect.flip(add(3, 1)), SqlError)
      const thrown = atomically((rowsOf) => {
        rowsOf(insert, [4])
        throw new Error("a bug")
      })
      assert.include((yield* Effect.flip(thrown)).message, "a bug")
      yield* add(5)
      assert.deepStrictEqual(yield* valuesOf(sql), [1, 2, 5])
      assert.deepStrictEqual(told, [2, 1])
      assert.deepStrictEqual(yield* atOnce((rowsOf) => rowsOf("SELECT COUNT(*) AS count FROM numbers", [])), [
        { count: 3 }
      ])
    }))

  it.scoped("wait for transactions that are open, and belong to the one that they are in", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      const { atomically } = quick(sql)
      const release = yield* Deferred.make<void>()
      const add = (value: number) => atomically((rowsOf) => rowsOf(insert, [value]))
      const failing = add(1).pipe(
        Effect.zipRight(Effect.ignore(Effect.zipRight(add(2), add(2)))),
        Effect.zipRight(Deferred.await(release)),
        Effect.zipRight(Effect.fail("no")),
        sql.withTransaction
      )
      const open = yield* Effect.fork(Effect.exit(failing))
      yield* Effect.yieldNow()
      const beside = yield* Effect.fork(add(3))
      yield* Effect.yieldNow()
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(open)
      yield* Fiber.join(beside)
      assert.deepStrictEqual(yield* valuesOf(sql), [3])
      yield* sql.withTransaction(Effect.zipRight(Effect.ignore(Effect.zipRight(add(4), add(3))), add(5)))
      assert.deepStrictEqual(yield* valuesOf(sql), [3, 4, 5])
    }))

  it.scoped("fail where another connection holds the lock, and go on when it does not", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const sql = yield* client({ filename, busyTimeout: 0 })
      yield* sql`CREATE TABLE numbers (value BIGINT NOT NULL PRIMARY KEY)`
      const { atomically } = quick(sql)
      const add = atomically((rowsOf) => rowsOf(insert, [1]))
      const other = yield* client({ filename, busyTimeout: 0 })
      const held = yield* Deferred.make<void>()
      const release = yield* Deferred.make<void>()
      const holder = yield* Effect.fork(
        // A fiber inside a transaction of one client must not use another.
        other.withTransaction(Effect.zipRight(Deferred.succeed(held, undefined), Deferred.await(release)))
      )
      yield* Deferred.await(held)
      assert.instanceOf(yield* Effect.flip(add), SqlError)
      assert.instanceOf(yield* Effect.flip(add), SqlError)
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(holder)
      yield* add
      assert.deepStrictEqual(yield* valuesOf(other), [1])
    }))

  it.scoped("tell what they are told for when the outermost transaction is committed, and never where one is not", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      const { atomically } = quick(sql)
      const told: Array<number> = []
      const add = (value: number) =>
        atomically((rowsOf) => {
          rowsOf(insert, [value])
          return value
        }, (value) => void told.push(value))
      const nested = sql.withTransaction(Effect.zipRight(add(2), sql.withTransaction(add(3))))
      const failing = sql.withTransaction(Effect.zipRight(add(4), Effect.fail("no")))
      yield* Effect.gen(function*() {
        yield* add(1)
        yield* nested
        yield* Effect.ignore(failing)
        yield* Effect.ignore(add(1))
        yield* add(5)
        assert.deepStrictEqual(told, [])
      }).pipe(sql.withTransaction)
      assert.deepStrictEqual(told, [1, 2, 3, 5])
      yield* Effect.ignore(sql.withTransaction(Effect.zipRight(sql.withTransaction(add(6)), Effect.fail("no"))))
      yield* add(7)
      assert.deepStrictEqual(told, [1, 2, 3, 5, 7])
      assert.deepStrictEqual(yield* valuesOf(sql), [1, 2, 3, 5, 7])
    }))
})
