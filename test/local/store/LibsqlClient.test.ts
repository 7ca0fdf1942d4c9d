import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { isBusy } from "../../../src/local/store/StoreUnavailable.js"
import { parameters } from "../../support/runs.js"
import { client, numbers, temporaryDatabase, valuesOf } from "./support.js"

const first = <A>(rows: ReadonlyArray<A>): A => {
  const [row] = rows
  assert.isDefined(row)
  return row
}

describe("settings", () => {
  it.scoped("are those of a write-ahead log that another process may write to", () =>
    Effect.gen(function*() {
      const sql = yield* client({ filename: yield* temporaryDatabase })
      assert.deepStrictEqual(yield* sql`PRAGMA journal_mode`, [{ journal_mode: "wal" }])
      assert.deepStrictEqual(yield* sql`PRAGMA busy_timeout`, [{ timeout: 5000 }])
      assert.deepStrictEqual(yield* sql`PRAGMA foreign_keys`, [{ foreign_keys: 1 }])
      assert.deepStrictEqual(yield* sql`PRAGMA synchronous`, [{ synchronous: 1 }])
    }))

  it.scoped("end with the scope: the log is emptied and statements fail", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const scope = yield* Scope.make()
      const sql = yield* Scope.extend(client({ filename }), scope)
      yield* sql`CREATE TABLE numbers (value BIGINT)`
      yield* sql`INSERT INTO numbers VALUES (1)`
      assert.isAbove(readFileSync(`${filename}-wal`).length, 0)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(!existsSync(`${filename}-wal`) || readFileSync(`${filename}-wal`).length === 0)
      const error = yield* Effect.flip(valuesOf(sql))
      assert.instanceOf(error, SqlError)
      assert.match(error.message, /closed/)
      assert.instanceOf(yield* Effect.flip(sql.withTransaction(Effect.void)), SqlError)
    }))
})

describe("statements", () => {
  it.scoped("bind every kind of value", () =>
    Effect.gen(function*() {
      const sql = yield* client({ filename: ":memory:" })
      const row = first(
        yield* sql<Record<string, unknown>>`
        SELECT ${true} AS yes, ${false} AS no, ${1} || '' AS whole, ${1.5} AS part, ${undefined} AS missing,
          ${12345678901234n} AS large, ${"it's"} AS text, typeof(${new Uint8Array([1, 2])}) AS bytes`
      )
      assert.deepStrictEqual(row, {
        yes: 1,
        no: 0,
        whole: "1",
        part: 1.5,
        missing: null,
        large: 12345678901234,
        text: "it's",
        bytes: "blob"
      })
    }))

  it.scoped("refuse what would be changed on the way", () =>
    Effect.gen(function*() {
      const sql = yield* client({ filename: ":memory:" })
      for (const value of ["a\0b", Number.NaN, 2n ** 64n]) {
        const error = yield* Effect.flip(sql`SELECT ${value} AS value`)
        assert.instanceOf(error, SqlError)
      }
      const unsupported: ReadonlyArray<unknown> = [{}, [1], () => 1, Symbol("s")]
      for (const value of unsupported) {
        assert.instanceOf(yield* Effect.flip(sql.unsafe("SELECT ? AS value", [value])), SqlError)
      }
    }))

  it.scoped("give back the text and the whole numbers that they were given", () =>
    Effect.gen(function*() {
      const sql = yield* client({ filename: ":memory:" })
      yield* sql`CREATE TABLE cells (text TEXT, number BIGINT)`
      const cell = FastCheck.tuple(
        FastCheck.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
        FastCheck.maxSafeInteger()
      )
      for (const [text, number] of FastCheck.sample(cell, parameters(1000))) {
        yield* sql`DELETE FROM cells`
        yield* sql`INSERT INTO cells VALUES (${text}, ${number})`
        assert.deepStrictEqual(yield* sql`SELECT text, number FROM cells`, [{ text, number: number + 0 }])
      }
    }))

  it.scoped("come as rows, as values, raw, unprepared and as a stream", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      assert.deepInclude(yield* sql`INSERT INTO numbers VALUES (1), (2)`.raw, { changes: 2 })
      const select = sql<{ value: number }>`SELECT value FROM numbers ORDER BY value`
      const rows = [{ value: 1 }, { value: 2 }]
      assert.deepStrictEqual(yield* select, rows)
      assert.deepStrictEqual(yield* select.values, [[1], [2]])
      assert.deepStrictEqual(yield* select, rows)
      assert.deepStrictEqual(yield* select.raw, rows)
      assert.deepStrictEqual(yield* select.unprepared, rows)
      assert.deepStrictEqual(Array.from(yield* Stream.runCollect(select.stream)), rows)
    }))

  it.scoped("outnumber the ones that are kept prepared, and outlive a change of the table", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      yield* sql`INSERT INTO numbers VALUES (1)`
      for (let round = 0; round < 2; round++) {
        for (let i = 0; i < 300; i++) {
          assert.deepStrictEqual(yield* sql.unsafe(`SELECT value + ${i} AS sum FROM numbers`), [{ sum: 1 + i }])
        }
      }
      const all = sql`SELECT * FROM numbers`
      assert.deepStrictEqual(yield* all, [{ value: 1 }])
      yield* sql`ALTER TABLE numbers ADD COLUMN name TEXT DEFAULT 'one'`
      assert.deepStrictEqual(yield* all, [{ value: 1, name: "one" }])
    }))

  it.scoped("that fail say why, and leave the connection usable", () =>
    Effect.gen(function*() {
      const sql = yield* numbers
      yield* sql`INSERT INTO numbers VALUES (1)`
      for (let i = 0; i < 3; i++) {
        const error = yield* Effect.flip(sql`INSERT INTO numbers VALUES (1)`)
        assert.instanceOf(error, SqlError)
        assert.match(error.message, /UNIQUE/)
      }
      assert.instanceOf(yield* Effect.flip(sql`SELEKT 1`), SqlError)
      assert.deepStrictEqual(yield* valuesOf(sql), [1])
    }))
})

describe("two connections", () => {
  const holdLock = `
    const Database = require("libsql")
    const database = new Database(process.argv[1])
    database.exec("BEGIN IMMEDIATE; INSERT INTO numbers VALUES (1)")
    process.stdout.write("locked")
    setTimeout(() => { database.exec("COMMIT"); database.close() }, 400)`

  it.scopedLive("of two processes: the second writer waits", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const sql = yield* client({ filename })
      yield* sql`CREATE TABLE numbers (value BIGINT NOT NULL PRIMARY KEY)`
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, ["-e", holdLock, filename], { stdio: ["ignore", "pipe", "inherit"] })
        ),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      const ended = yield* Effect.forkScoped(
        Effect.async<number | null>((resume) => void child.once("exit", (code) => resume(Effect.succeed(code))))
      )
      yield* Effect.async<void>((resume) => void child.stdout.once("data", () => resume(Effect.void))).pipe(
        Effect.timeout("10 seconds")
      )
      yield* sql`INSERT INTO numbers VALUES (2)`
      assert.deepStrictEqual(yield* valuesOf(sql), [1, 2])
      assert.strictEqual(yield* Effect.timeout(Fiber.join(ended), "10 seconds"), 0)
    }))

  it.scoped("of one process: a busy one fails, and afterwards reads and writes what there is then", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const one = yield* client({ filename })
      const two = yield* client({ filename, busyTimeout: "20 millis" })
      yield* one`CREATE TABLE numbers (value BIGINT NOT NULL PRIMARY KEY)`
      const locked = yield* Deferred.make<void>()
      const release = yield* Deferred.make<void>()
      const holder = yield* Effect.fork(one.withTransaction(Effect.gen(function*() {
        yield* one`INSERT INTO numbers VALUES (1)`
        yield* Deferred.succeed(locked, undefined)
        yield* Deferred.await(release)
      })))
      yield* Deferred.await(locked)
      for (let i = 0; i < 3; i++) {
        assert.isTrue(isBusy(yield* Effect.flip(two`INSERT INTO numbers VALUES (2)`)))
        assert.isTrue(isBusy(yield* Effect.flip(two.withTransaction(two`INSERT INTO numbers VALUES (2)`))))
      }
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(holder)
      yield* two.withTransaction(two`INSERT INTO numbers VALUES (3)`)
      assert.deepStrictEqual(yield* valuesOf(two), [1, 3])
      yield* one`INSERT INTO numbers VALUES (4)`
      assert.deepStrictEqual(yield* valuesOf(two), [1, 3, 4])
      yield* two`INSERT INTO numbers VALUES (5)`
      assert.deepStrictEqual(yield* valuesOf(one), [1, 3, 4, 5])
      assert.deepStrictEqual(yield* two`PRAGMA busy_timeout`, [{ timeout: 20 }])
      assert.deepStrictEqual(yield* two`PRAGMA foreign_keys`, [{ foreign_keys: 1 }])
    }))
})
