import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Predicate from "effect/Predicate"
import * as TestClock from "effect/TestClock"
import { currentProgress, type ReportProgress } from "../../../src/local/progress.js"
import * as Progress from "../../../src/local/protocol/progress.js"
import { at } from "../../support/json.js"

const mebibyte = 1024 * 1024

/** A call with the token `t` that reports until the test ends it, over a connection that the test fills. */
const setup = Effect.gen(function*() {
  const sent: Array<unknown> = []
  let buffered = 0
  const progress = yield* Progress.make({
    send: (text) => {
      const message: unknown = JSON.parse(text)
      assert.strictEqual(at(message, "method"), "notifications/progress")
      sent.push(at(message, "params"))
      return true
    },
    bufferedBytes: () => buffered
  })
  const begin = (id: number, progressToken: unknown) => {
    const call = progress.begin(id, "capabilities.invoke", { _meta: { progressToken } })
    return call ?? assert.fail("the call has no token")
  }
  const call = begin(1, "t")
  let report: ReportProgress = () => assert.fail("nobody listens")
  yield* call.during(Effect.map(FiberRef.get(currentProgress), (listeners) => {
    report = listeners?.report ?? report
  })).pipe(Effect.orDie)
  const count = (value: number) => report({ progress: value })
  return {
    progress,
    begin,
    call,
    count,
    report: (given: Parameters<ReportProgress>[0]) => report(given),
    fill: (bytes: number) => {
      buffered = bytes
    },
    /** What has been told since this was asked last. */
    told: () => sent.splice(0).map((params) => Predicate.isReadonlyRecord(params) ? params : {}),
    counts: () => sent.splice(0).map((params) => at(params, "progress"))
  }
})

describe("what a call reports", () => {
  it.scoped("is told once in 100 ms, the newest, and what is left before the answer", () =>
    Effect.gen(function*() {
      const { call, count, counts } = yield* setup
      for (let value = 1; value <= 50; value++) count(value)
      assert.deepStrictEqual(counts(), [1])
      yield* TestClock.adjust("99 millis")
      assert.deepStrictEqual(counts(), [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(counts(), [50])
      for (let value = 51; value <= 150; value++) {
        count(value)
        yield* TestClock.adjust("10 millis")
      }
      assert.deepStrictEqual(counts(), [60, 70, 80, 90, 100, 110, 120, 130, 140, 150])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(counts(), [])
      count(151)
      count(152)
      count(153)
      call.finish()
      assert.deepStrictEqual(counts(), [151, 153])
    }))

  it.scoped("carries the token and the total, and nothing that was not reported", () =>
    Effect.gen(function*() {
      const { begin, report, told } = yield* setup
      report({ progress: 0 })
      report({ progress: 1, total: 10, message: "a line" })
      report({ progress: 2, total: Number.NaN, message: "another" })
      assert.deepStrictEqual(told(), [
        { progressToken: "t", progress: 0 },
        { progressToken: "t", progress: 1, total: 10, message: "a line" },
        { progressToken: "t", progress: 2, message: "another" }
      ])
      for (const token of [0, -1, 1.5, "", "x".repeat(1000)]) begin(2, token).stop()
    }))

  it.scoped("is left out where it does not grow, or is no number", () =>
    Effect.gen(function*() {
      const { call, count, counts, report } = yield* setup
      count(5)
      for (const value of [5, 4, Number.NaN, Infinity, -Infinity]) {
        count(value)
        report({ progress: value, message: "back" })
      }
      call.finish()
      assert.deepStrictEqual(counts(), [5])
    }))

  it.scoped("is told line by line, each in its place between the counts", () =>
    Effect.gen(function*() {
      const { count, report, told } = yield* setup
      count(1)
      count(2)
      for (let line = 3; line < 300; line++) report({ progress: line, message: `line ${line}` })
      count(300)
      const lines = told()
      assert.deepStrictEqual(lines.map(({ progress }) => progress), [
        1,
        ...Array.from({ length: 297 }, (_, index) => index + 3)
      ])
      assert.deepStrictEqual(
        lines.slice(1).map(({ message }) => message),
        lines.slice(1).map(({ progress }) => `line ${progress}`)
      )
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(told(), [{ progressToken: "t", progress: 300 }])
    }))

  it.scoped("is cut off where a line is very long", () =>
    Effect.gen(function*() {
      const { report, told } = yield* setup
      report({ progress: 1, message: "x".repeat(100_000) })
      assert.strictEqual(String(told()[0]?.message).length, 65_536)
    }))

  it.scoped("is counted and not told while more than 1 MiB is unsent", () =>
    Effect.gen(function*() {
      const { call, count, fill, report, told } = yield* setup
      fill(mebibyte)
      report({ progress: 1, message: "one" })
      fill(mebibyte + 1)
      for (let line = 2; line < 1000; line++) report({ progress: line, message: `line ${line}` })
      count(1000)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(told(), [{ progressToken: "t", progress: 1, message: "one" }])
      fill(0)
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(told(), [
        {
          progressToken: "t",
          progress: 999,
          message: "998 messages are left out: they came faster than they were read"
        },
        { progressToken: "t", progress: 1000 }
      ])
      fill(2 * mebibyte)
      report({ progress: 1001, message: "lost" })
      call.finish()
      assert.deepStrictEqual(told().map(({ progress }) => progress), [1001])
    }))

  it.scoped("is told to nobody once it has ended, or was cancelled", () =>
    Effect.gen(function*() {
      const { call, count, counts, progress } = yield* setup
      count(1)
      count(2)
      progress.stop(2)
      progress.stop(1)
      count(3)
      call.finish()
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(counts(), [1])
    }))
})

describe("a request", () => {
  it.scoped("asks for no progress without a token, or where nothing is invoked", () =>
    Effect.gen(function*() {
      const { progress } = yield* setup
      const none: ReadonlyArray<unknown> = [
        undefined,
        null,
        [],
        "x",
        {},
        { _meta: null },
        { _meta: 7 },
        { _meta: {} },
        {
          _meta: { progressToken: null }
        }
      ]
      for (const params of none) assert.strictEqual(progress.begin(2, "tools/call", params), undefined)
      for (const method of ["tools/list", "capabilities.list", "transaction.commit", "initialize"]) {
        assert.strictEqual(progress.begin(2, method, { _meta: { progressToken: 1 } }), undefined)
      }
      assert.notStrictEqual(progress.begin(2, "tools/call", { _meta: { progressToken: 1 } }), undefined)
    }))
})
