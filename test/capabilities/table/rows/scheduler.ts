import { assert, expect } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { until } from "../../../support/deadline.js"
import { failing, type Table } from "../Row.js"

const unavailable = { _tag: "CapabilityUnavailable", retryable: true }

const health = { capability: "system.health" }

const hourly = { ...health, schedule: "0 * * * *" }

export const scheduler: Table<"scheduler"> = {
  "scheduler.delay": {
    success: ({ directory, host, invoke, text }) =>
      Effect.gen(function*() {
        const inputs = { path: `${directory}/later.txt`, content: "later" }
        const before = yield* DateTime.now
        const delayed = yield* invoke("scheduler.delay", { capability: "filesystem.write", inputs, delay_seconds: 1 })
        assert.isAtLeast(DateTime.distance(before, delayed.fires_at), 1000)
        yield* until("the delayed invocation", Effect.sync(() => fs.existsSync(host(inputs.path))))
        assert.strictEqual(text(inputs.path), "later")
      }),
    errors: {
      CapabilityNotFound: ({ invoke }) =>
        failing(invoke("scheduler.delay", { capability: "no.such", delay_seconds: 1 }), { requested: "no.such" }),
      SchedulerError: ({ without }) =>
        Effect.flatMap(
          without("schedules"),
          ({ invoke }) => failing(invoke("scheduler.delay", { ...health, delay_seconds: 60 }), unavailable)
        )
    },
    limits: {
      "waits for a year at most": ({ invoke }) =>
        Effect.gen(function*() {
          const input = { ...health, delay_seconds: 31_536_001 }
          const error = yield* Effect.flip(invoke("scheduler.delay", input))
          expect(error).toMatchObject({ _tag: "InvalidInput", field: "delay_seconds" })
          yield* invoke("scheduler.delay", { ...input, delay_seconds: 31_536_000 })
        })
    }
  },
  "scheduler.cron_create": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const created = yield* invoke("scheduler.cron_create", hourly)
        assert.deepInclude(created, hourly)
        assert.strictEqual(DateTime.toPartsUtc(created.next_run).minutes, 0)
        assert.isAbove(DateTime.distance(yield* DateTime.now, created.next_run), 0)
      }),
    errors: {
      InvalidCronExpression: ({ invoke }) =>
        failing(invoke("scheduler.cron_create", { ...health, schedule: "61 * * * *" }), { expression: "61 * * * *" }),
      CapabilityNotFound: ({ invoke }) =>
        failing(invoke("scheduler.cron_create", { ...hourly, capability: "no.such" }), { requested: "no.such" }),
      SchedulerError: ({ without }) =>
        Effect.flatMap(
          without("schedules"),
          ({ invoke }) => failing(invoke("scheduler.cron_create", hourly), unavailable)
        )
    },
    limits: {
      "takes five fields": ({ invoke }) =>
        Effect.gen(function*() {
          for (const schedule of ["* * * *", "0 * * * * *", "@daily", ""]) {
            const error = yield* Effect.flip(invoke("scheduler.cron_create", { ...health, schedule }))
            assert.strictEqual(error._tag, "InvalidCronExpression", schedule)
          }
        })
    }
  },
  "scheduler.cron_list": {
    success: ({ another, directory: name }) =>
      Effect.gen(function*() {
        const { invoke } = yield* another({ name })
        const { cron_id } = yield* invoke("scheduler.cron_create", { ...hourly, description: "every hour" })
        const listed = yield* invoke("scheduler.cron_list")
        expect(listed).toMatchObject({
          jobs: [{ cron_id, ...hourly, description: "every hour", enabled: true }],
          total: 1
        })
      }),
    errors: {
      SchedulerError: ({ without }) =>
        Effect.flatMap(without("schedules"), ({ invoke }) => failing(invoke("scheduler.cron_list"), unavailable))
    }
  },
  "scheduler.cron_delete": {
    success: ({ another, directory: name }) =>
      Effect.gen(function*() {
        const { invoke } = yield* another({ name })
        const { cron_id } = yield* invoke("scheduler.cron_create", hourly)
        assert.deepStrictEqual(yield* invoke("scheduler.cron_delete", { cron_id }), { deleted: true, cron_id })
        assert.strictEqual((yield* invoke("scheduler.cron_list")).total, 0)
      }),
    errors: {
      SchedulerError: ({ without }) =>
        Effect.flatMap(
          without("schedules"),
          ({ invoke }) => failing(invoke("scheduler.cron_delete", { cron_id: "cron-1" }), unavailable)
        )
    },
    limits: {
      "says of an unknown id that nothing was deleted": ({ invoke }) =>
        Effect.gen(function*() {
          const deleted = yield* invoke("scheduler.cron_delete", { cron_id: "no" })
          assert.deepStrictEqual(deleted, { deleted: false, cron_id: "no" })
        })
    }
  }
}
