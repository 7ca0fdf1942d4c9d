import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { client, numbers, valuesOf } from "./support.js"

describe("a transaction", () => {
  it.scoped("commits what succeeds and rolls back what fails, dies or is interrupted", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      yield* sql.withTransaction(sql`INSERT INTO numbers VALUES (1)`)
      const failures = [Effect.fail("no"), Effect.die("bug"), Effect.interrupt]
      for (const [index, failure] of failures.entries()) {
        const exit = yield* Effect.exit(
          sql.withTransaction(Effect.zipRight(sql`INSERT INTO numbers VALUES (${index + 10})`, failure))
        )
        assert.isTrue(Exit.isFailure(exit))
      }
      assert.deepStrictEqual(yield* valuesOf(sql), [1])
    }))

  it.scoped("keeps the cause of what failed", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      assert.strictEqual(yield* Effect.flip(sql.withTransaction(Effect.fail("no"))), "no")
    }))

  it.scoped("lets the next one in, whatever ended it", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      yield* sql`INSERT INTO numbers VALUES (1)`
      for (let i = 0; i < 20; i++) {
        yield* Effect.exit(sql.withTransaction(sql`INSERT INTO numbers VALUES (1)`))
        yield* Effect.exit(sql.withTransaction(Effect.die("bug")))
        const fiber = yield* Effect.fork(sql.withTransaction(Effect.never))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(fiber)
      }
      yield* sql.withTransaction(sql`INSERT INTO numbers VALUES (2)`)
      assert.deepStrictEqual(yield* valuesOf(sql), [1, 2])
    }))

  it.scoped("can be interrupted while it waits for its turn", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      const release = yield* Deferred.make<void>()
      const holder = yield* Effect.fork(sql.withTransaction(Deferred.await(release)))
      yield* Effect.yieldNow()
      const waiting = yield* Effect.fork(sql.withTransaction(sql`INSERT INTO numbers VALUES (1)`))
      const statement = yield* Effect.fork(sql`INSERT INTO numbers VALUES (2)`)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(waiting)
      yield* Fiber.interrupt(statement)
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(holder)
      yield* sql.withTransaction(sql`INSERT INTO numbers VALUES (3)`)
      assert.deepStrictEqual(yield* valuesOf(sql), [3])
    }))

  it.scoped("keeps the statements of others out", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      const began = yield* Deferred.make<void>()
      const release = yield* Deferred.make<void>()
      const failing = yield* Effect.fork(Effect.exit(sql.withTransaction(Effect.gen(function*() {
        yield* sql`INSERT INTO numbers VALUES (1)`
        yield* Deferred.succeed(began, undefined)
        yield* Deferred.await(release)
        return yield* Effect.fail("no")
      }))))
      yield* Deferred.await(began)
      const other = yield* Effect.fork(sql`INSERT INTO numbers VALUES (2)`)
      yield* Effect.yieldNow()
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(failing)
      yield* Fiber.join(other)
      assert.deepStrictEqual(yield* valuesOf(sql), [2])
    }))

  it.scoped("refuses the statements of a fiber that outlives it", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      const ended = yield* Deferred.make<void>()
      const late = yield* sql.withTransaction(Effect.gen(function*() {
        yield* sql`INSERT INTO numbers VALUES (1)`
        return yield* Effect.forkDaemon(
          Effect.zipRight(
            Deferred.await(ended),
            Effect.all([
              Effect.flip(sql`INSERT INTO numbers VALUES (2)`),
              Effect.flip(sql.withTransaction(sql`INSERT INTO numbers VALUES (3)`))
            ])
          )
        )
      }))
      yield* sql.withTransaction(Effect.gen(function*() {
        yield* Deferred.succeed(ended, undefined)
        for (const error of yield* Fiber.join(late)) {
          assert.instanceOf(error, SqlError)
          assert.match(error.message, /has ended/)
        }
      }))
      assert.deepStrictEqual(yield* valuesOf(sql), [1])
    }))

  it.scoped("whose COMMIT fails is rolled back, with a typed error", () =>
    Effect.gen(function*() {
      const sql = yield* client({ filename: ":memory:" })
      yield* sql`CREATE TABLE numbers (value BIGINT NOT NULL PRIMARY KEY)`
      yield* sql`CREATE TABLE children (value BIGINT REFERENCES numbers (value) DEFERRABLE INITIALLY DEFERRED)`
      const error = yield* Effect.flip(sql.withTransaction(Effect.gen(function*() {
        yield* sql`INSERT INTO numbers VALUES (1)`
        yield* sql`INSERT INTO children VALUES (2)`
      })))
      assert.instanceOf(error, SqlError)
      assert.match(error.message, /Cannot commit.*FOREIGN KEY/)
      assert.deepStrictEqual(yield* valuesOf(sql), [])
      yield* sql.withTransaction(sql`INSERT INTO numbers VALUES (3)`)
      assert.deepStrictEqual(yield* valuesOf(sql), [3])
    }))

  it.scoped("that was rolled back under its feet takes no further statement and does not commit", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      const error = yield* Effect.flip(sql.withTransaction(Effect.gen(function*() {
        yield* sql`INSERT INTO numbers VALUES (1)`
        yield* Effect.exit(sql`INSERT OR ROLLBACK INTO numbers VALUES (1)`)
        const refused = yield* Effect.flip(sql`INSERT INTO numbers VALUES (2)`)
        assert.instanceOf(refused, SqlError)
        assert.match(refused.message, /rolled back/)
      })))
      assert.instanceOf(error, SqlError)
      assert.match(error.message, /rolled back/)
      assert.deepStrictEqual(yield* valuesOf(sql), [])
    }))

  it.scoped("that somebody left open by hand is rolled back before the next", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      yield* sql`BEGIN`.unprepared
      yield* sql`INSERT INTO numbers VALUES (1)`
      yield* sql.withTransaction(sql`INSERT INTO numbers VALUES (2)`)
      assert.deepStrictEqual(yield* valuesOf(sql), [2])
    }))
})

describe("a transaction inside another", () => {
  it.scoped("is rolled back alone when it fails", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      yield* sql.withTransaction(Effect.gen(function*() {
        yield* sql`INSERT INTO numbers VALUES (1)`
        yield* Effect.exit(sql.withTransaction(Effect.gen(function*() {
          yield* sql`INSERT INTO numbers VALUES (2)`
          yield* sql.withTransaction(sql`INSERT INTO numbers VALUES (3)`)
          return yield* Effect.fail("no")
        })))
        yield* sql.withTransaction(sql`INSERT INTO numbers VALUES (4)`)
      }))
      assert.deepStrictEqual(yield* valuesOf(sql), [1, 4])
    }))

  it.scoped("is rolled back with the outer one", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      yield* Effect.exit(sql.withTransaction(
        Effect.zipRight(sql.withTransaction(sql`INSERT INTO numbers VALUES (1)`), Effect.fail("no"))
      ))
      assert.deepStrictEqual(yield* valuesOf(sql), [])
    }))

  it.scoped("is kept apart from the ones beside it", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      const part = (n: number) =>
        sql.withTransaction(Effect.gen(function*() {
          yield* sql`INSERT INTO numbers VALUES (${n})`
          yield* Effect.yieldNow()
          yield* sql`INSERT INTO numbers VALUES (${n + 100})`
          if (n % 2 === 0) return yield* Effect.fail("even")
        })).pipe(Effect.exit)
      yield* sql.withTransaction(Effect.all([1, 2, 3, 4, 5].map(part), { concurrency: "unbounded" }))
      assert.deepStrictEqual(yield* valuesOf(sql), [1, 3, 5, 101, 103, 105])
    }))

  it.scoped("that is still open fails the outer commit", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      const release = yield* Deferred.make<void>()
      const began = yield* Deferred.make<void>()
      let inner: Fiber.Fiber<Exit.Exit<unknown, SqlError>> | undefined
      const error = yield* Effect.flip(sql.withTransaction(Effect.gen(function*() {
        inner = yield* Effect.forkDaemon(Effect.exit(sql.withTransaction(Effect.gen(function*() {
          yield* sql`INSERT INTO numbers VALUES (1)`
          yield* Deferred.succeed(began, undefined)
          yield* Deferred.await(release)
        }))))
        yield* Deferred.await(began)
      })))
      assert.match(error.message, /is open/)
      yield* Deferred.succeed(release, undefined)
      assert.isDefined(inner)
      const exit = yield* Fiber.join(inner)
      assert.isTrue(Exit.isFailure(exit) && Cause.isFailType(exit.cause))
      assert.deepStrictEqual(yield* valuesOf(sql), [])
    }))
})
