import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { type Fact, genesis, type Head } from "../../../src/local/audit/chain.js"
import * as Writer from "../../../src/local/audit/writer.js"
import type { AuditLogService } from "../../../src/local/store/AuditLog.js"
import { quietly } from "../../support/gateway.js"
import { factOf } from "./support.js"

/** A log that keeps what each transaction wrote, and fails while it is told to. */
const fakeLog = () => {
  const transactions: Array<ReadonlyArray<Fact>> = []
  const state = { isBroken: false, attempts: 0 }
  let sequence = 0
  const append: AuditLogService["append"] = (facts) =>
    Effect.suspend(() => {
      state.attempts++
      if (state.isBroken) return Effect.fail(new SqlError({ cause: new Error("disk full"), message: "disk full" }))
      transactions.push(facts)
      sequence += facts.length
      return Effect.succeed<Head>({ sequence, hash: genesis.hash })
    })
  const unused = () => Effect.die("not used")
  const log: AuditLogService = { append, rowsBehind: unused, rowsAfterHash: unused, withHash: unused, list: unused }
  const numbers = () => transactions.flat().map(({ at }) => at - 1_700_000_000_000)
  return { log, transactions, state, numbers }
}

const sizes = (transactions: ReadonlyArray<ReadonlyArray<unknown>>) => transactions.map(({ length }) => length)

describe("the writer of the audit log", () => {
  it.scoped("writes what waits together, in order, and tells those who wait when it is written", () =>
    Effect.gen(function*() {
      const { log, numbers, transactions } = fakeLog()
      const writer = yield* Writer.make(log, Option.none())
      writer.note(factOf(0))
      yield* Effect.forEach(
        Array.from({ length: 31 }, (_, index) => index + 1),
        (index) => writer.write(factOf(index)),
        {
          concurrency: "unbounded",
          discard: true
        }
      )
      assert.deepStrictEqual(sizes(transactions), [32])
      assert.deepStrictEqual(numbers(), Array.from({ length: 32 }, (_, index) => index))
      assert.deepStrictEqual(writer.head(), Option.some({ sequence: 32, hash: genesis.hash }))
    }))

  it.scoped("writes what nobody waits for within 50 ms", () =>
    Effect.gen(function*() {
      const { log, transactions } = fakeLog()
      const writer = yield* Writer.make(log, Option.none())
      const notes = [writer.note(factOf(0)), writer.note(factOf(1))]
      yield* TestClock.adjust("40 millis")
      assert.deepStrictEqual(transactions, [])
      assert.deepStrictEqual(notes.map(({ isTaken }) => isTaken), [false, false])
      yield* TestClock.adjust("20 millis")
      assert.deepStrictEqual(sizes(transactions), [2])
      assert.deepStrictEqual(notes.map(({ isTaken }) => isTaken), [true, true])
    }))

  it.scoped("writes what can still be changed as it is by then", () =>
    Effect.gen(function*() {
      const { log, numbers } = fakeLog()
      const writer = yield* Writer.make(log, Option.none())
      writer.note(factOf(1)).fact = factOf(2)
      yield* writer.write(factOf(3))
      assert.deepStrictEqual(numbers(), [2, 3])
    }))

  it.effect("writes all that waits when it ends, and takes nothing afterwards", () =>
    Effect.gen(function*() {
      const { log, numbers } = fakeLog()
      const scope = yield* Scope.make()
      const writer = yield* Scope.extend(Writer.make(log, Option.none()), scope)
      for (let index = 0; index < 1000; index++) writer.note(factOf(index))
      yield* Scope.close(scope, Exit.void)
      assert.lengthOf(numbers(), 1000)
      assert.isTrue(writer.note(factOf(1000)).isTaken)
      assert.strictEqual((yield* Effect.flip(writer.write(factOf(1001))))._tag, "ServiceUnavailable")
      assert.lengthOf(numbers(), 1000)
    }))

  it.scoped("refuses, while the log cannot be written, what somebody waits for, and keeps the rest for later", () =>
    Effect.gen(function*() {
      const { log, numbers, state } = fakeLog()
      const writer = yield* Writer.make(log, Option.none())
      state.isBroken = true
      writer.note(factOf(0))
      const refused = yield* Effect.all([Effect.flip(writer.write(factOf(1))), Effect.flip(writer.write(factOf(2)))], {
        concurrency: "unbounded"
      })
      for (const error of refused) {
        assert.strictEqual(error._tag, "ServiceUnavailable")
        assert.strictEqual(error.service, "store")
        assert.isTrue(error.retryable)
      }
      for (let index = 3; index < 200; index++) writer.note(factOf(index))
      const { attempts } = state
      yield* TestClock.adjust("10 seconds")
      assert.isAtMost(state.attempts - attempts, 11)
      assert.deepStrictEqual(numbers(), [])
      state.isBroken = false
      yield* writer.write(factOf(200))
      assert.deepStrictEqual(numbers(), [0, ...Array.from({ length: 198 }, (_, index) => index + 3)])
    }).pipe(quietly))

  it.scoped("keeps a bounded number for later, and says in the log how many are missing", () =>
    Effect.gen(function*() {
      const { log, state, transactions } = fakeLog()
      const writer = yield* Writer.make(log, Option.none())
      state.isBroken = true
      for (let index = 0; index < 5000; index++) writer.note(factOf(index))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Effect.flip(writer.write(factOf(6000))))._tag, "ServiceUnavailable")
      state.isBroken = false
      yield* TestClock.adjust("1 minute")
      const written = transactions.flat()
      assert.lengthOf(written, 4097)
      const gaps = written.filter(({ kind }) => kind === "entries_lost")
      assert.deepStrictEqual(gaps.map(({ details }) => JSON.parse(details)), [{ count: 904, from: 0, to: 0 }])
      yield* writer.write(factOf(7000))
      assert.lengthOf(transactions.flat(), 4098)
    }).pipe(quietly))

  it.scoped("keeps a bounded number of bytes for later", () =>
    Effect.gen(function*() {
      const { log, state, transactions } = fakeLog()
      const writer = yield* Writer.make(log, Option.none())
      state.isBroken = true
      const large = { ...factOf(1), details: JSON.stringify("x".repeat(1024 * 1024)) }
      for (let count = 0; count < 100; count++) writer.note(large)
      state.isBroken = false
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(transactions.flat(), 17)
    }).pipe(quietly))

  it.effect("says how many entries were lost, when it ends and cannot write them", () =>
    Effect.gen(function*() {
      const { log, state } = fakeLog()
      const logged: Array<string> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ logLevel, message }) => void logged.push(`${logLevel.label} ${String(message)}`))
      )
      const scope = yield* Scope.make()
      yield* Effect.gen(function*() {
        const writer = yield* Scope.extend(Writer.make(log, Option.none()), scope)
        state.isBroken = true
        writer.note(factOf(0))
        writer.note(factOf(1))
        yield* Scope.close(scope, Exit.void)
      }).pipe(Effect.provide(logger))
      assert.isDefined(logged.find((line) => line.startsWith("ERROR 2 entries of the audit log were lost")))
    }))

  it.scoped("writes what somebody waited for and was interrupted", () =>
    Effect.gen(function*() {
      const { log, numbers } = fakeLog()
      const writer = yield* Writer.make(log, Option.none())
      const waiting = yield* Effect.fork(writer.write(factOf(1)))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(waiting)
      yield* writer.write(factOf(2))
      assert.deepStrictEqual(numbers(), [1, 2])
    }))

  it.scoped("outlives a bug of the log", () =>
    Effect.gen(function*() {
      const { log, numbers } = fakeLog()
      let isFirst = true
      const append: AuditLogService["append"] = (...args) => {
        if (!isFirst) return log.append(...args)
        isFirst = false
        return Effect.die("a bug")
      }
      const writer = yield* Writer.make({ ...log, append }, Option.none())
      assert.strictEqual((yield* Effect.flip(writer.write(factOf(1))))._tag, "ServiceUnavailable")
      yield* writer.write(factOf(2))
      assert.deepStrictEqual(numbers(), [2])
    }).pipe(quietly))
})
