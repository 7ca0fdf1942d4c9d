import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { time } from "../../../../src/catalogue/system.js"
import { InvalidInput } from "../../../../src/errors/general.js"
import { timeHandler } from "../../../../src/local/capabilities/system/time.js"
import { invocationBy } from "../invocation.js"

const at = (instant: string, timezone?: string) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse(instant))
    return yield* timeHandler({ timezone }, yield* invocationBy("one"))
  })

const summer = "2026-07-01T12:00:00.000Z"

const cases: ReadonlyArray<readonly [instant: string, timezone: string, local: string]> = [
  // Clocks go forward in Vienna
  ["2026-03-29T00:59:59.999Z", "Europe/Vienna", "2026-03-29T01:59:59.999+01:00"],
  ["2026-03-29T01:00:00.000Z", "Europe/Vienna", "2026-03-29T03:00:00.000+02:00"],
  // and back: the same hour twice
  ["2026-10-25T00:30:00.000Z", "Europe/Vienna", "2026-10-25T02:30:00.000+02:00"],
  ["2026-10-25T01:30:00.000Z", "Europe/Vienna", "2026-10-25T02:30:00.000+01:00"],
  ["2026-03-08T09:59:59.000Z", "America/Los_Angeles", "2026-03-08T01:59:59.000-08:00"],
  ["2026-03-08T10:00:00.000Z", "America/Los_Angeles", "2026-03-08T03:00:00.000-07:00"],
  // By half an hour, and in the other half of the year
  ["2026-04-04T14:59:00.000Z", "Australia/Lord_Howe", "2026-04-05T01:59:00.000+11:00"],
  ["2026-04-04T15:00:00.000Z", "Australia/Lord_Howe", "2026-04-05T01:30:00.000+10:30"],
  [summer, "Asia/Kathmandu", "2026-07-01T17:45:00.000+05:45"],
  [summer, "America/St_Johns", "2026-07-01T09:30:00.000-02:30"],
  [summer, "Pacific/Kiritimati", "2026-07-02T02:00:00.000+14:00"],
  [summer, "Etc/GMT+5", "2026-07-01T07:00:00.000-05:00"],
  // Midnight is 00:00, in the new year
  ["2026-12-31T23:00:00.000Z", "Europe/Vienna", "2027-01-01T00:00:00.000+01:00"],
  [summer, "UTC", "2026-07-01T12:00:00.000+00:00"],
  [summer, "GMT", "2026-07-01T12:00:00.000+00:00"],
  [summer, "Asia/Kolkata", "2026-07-01T17:30:00.000+05:30"],
  [summer, "US/Pacific", "2026-07-01T05:00:00.000-07:00"],
  [summer, "+02:00", "2026-07-01T14:00:00.000+02:00"],
  [summer, "-03:30", "2026-07-01T08:30:00.000-03:30"],
  [summer, "-00:00", "2026-07-01T12:00:00.000+00:00"],
  [summer, "+23:59", "2026-07-02T11:59:00.000+23:59"]
]

describe("system.time", () => {
  it.scoped("without a zone gives UTC alone", () =>
    Effect.gen(function*() {
      const output = yield* at("2026-03-29T00:59:59.987Z")
      assert.deepStrictEqual(output, {
        utc: DateTime.unsafeMake("2026-03-29T00:59:59.987Z"),
        unix_epoch: Date.parse("2026-03-29T00:59:59Z") / 1000,
        unix_epoch_ms: Date.parse("2026-03-29T00:59:59.987Z"),
        local: null,
        timezone: "UTC"
      })
      assert.deepInclude(yield* Schema.encode(time.outputSchema)(output), { utc: "2026-03-29T00:59:59.987Z" })
    }))

  it.scoped.each(cases)("at %s in %s it is %s", ([instant, timezone, local]) =>
    Effect.gen(function*() {
      const output = yield* at(instant, timezone)
      assert.deepInclude(output, { local, timezone, unix_epoch_ms: Date.parse(instant) })
      assert.strictEqual(Date.parse(local), Date.parse(instant))
    }))

  it.scoped("corrects the case of a name", () =>
    Effect.map(at(summer, "europe/VIENNA"), ({ timezone }) => assert.strictEqual(timezone, "Europe/Vienna")))

  it.scoped.each([
    "",
    " ",
    "Vienna",
    "Europe/Wien",
    " Europe/Vienna",
    "Europe/Vienna\0",
    "Mars/Olympus",
    "local",
    "Z",
    "GMT+5",
    "UTC+01:00",
    "+2",
    "+02",
    "+0200",
    "+02:60",
    "+24:00",
    "02:00",
    "+02:00:00",
    "+٠٢:٠٠",
    "+",
    "x".repeat(100_000)
  ])("refuses %j", (timezone) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(at(summer, timezone))
      assert.instanceOf(error, InvalidInput)
      assert.deepInclude(error, { type: "InvalidTimezone", field: "timezone", reason: "InvalidTimezone" })
      assert.isBelow(error.message.length, 300)
    }))
})
