import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import { builtInProse } from "../../../src/catalogue/prose/builtIn.js"
import * as Directory from "../../../src/local/capabilities/Directory.js"
import { makeSchedulerHandlers } from "../../../src/local/capabilities/scheduler.js"
import * as Policy from "../../../src/local/policy/Policy.js"
import { Schedules } from "../../../src/local/store/Schedules.js"
import * as Store from "../../../src/local/store/Store.js"
import { at } from "../../support/json.js"
import { type Arguments, type Caller, withGateway } from "../scheduler/support.js"
import { invocationBy } from "./invocation.js"

const errorOf = (caller: Caller, capability: string, given: Arguments) =>
  Effect.map(caller.answer(capability, given), (answer) => at(answer, "error"))

const typeOf = (caller: Caller, capability: string, given: Arguments) =>
  Effect.map(errorOf(caller, capability, given), (error) => at(error, "type"))

const health = { capability: "system.health" }

const create = (caller: Caller, schedule: string, more: Arguments = {}) =>
  errorOf(caller, "scheduler.cron_create", { ...health, schedule, ...more })

interface Told {
  readonly _tag: string
  readonly type: string
  readonly reason?: string | undefined
  readonly cause?: unknown
  readonly message: string
}

describe("scheduler.cron_create", () => {
  it.effect("says of what no schedule is that it is an InvalidCronExpression", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const invalid = [
          "",
          "* * * *",
          "0 * * * * *",
          "@daily",
          "60 * * * *",
          "* 24 * * *",
          "* * 0 * *",
          "* * * 13 *",
          "* * * * 8",
          "*/0 * * * *",
          "5-1 * * * *",
          "a * * * *",
          "0 0 30 2 *",
          `${"1,".repeat(200)}1 * * * *`
        ]
        for (const schedule of invalid) {
          assert.strictEqual(at(yield* create(one, schedule), "type"), "InvalidCronExpression", schedule)
        }
        assert.strictEqual(at(yield* one.invoke("scheduler.cron_list"), "total"), 0)
      })
    ))

  it.effect("understands names, steps, ranges and lists, in UTC", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const times = [
          ["30 8 * * mon-fri", "2026-01-01T08:30:00.000Z"],
          ["0 0 * jan,feb sun", "2026-01-04T00:00:00.000Z"],
          ["0 0 * * 7", "2026-01-04T00:00:00.000Z"],
          ["*/15 * * * *", "2026-01-01T00:15:00.000Z"],
          ["0 0 29 2 *", "2028-02-29T00:00:00.000Z"]
        ] as const
        for (const [schedule, next] of times) {
          const job = yield* one.invoke("scheduler.cron_create", { ...health, schedule })
          assert.strictEqual(at(job, "next_run"), next, schedule)
        }
      })
    ))

  it.effect("knows no capability that there is not, or that the policy hides", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        for (const capability of ["system.nothing", "constructor", "system.info"]) {
          for (
            const [name, given] of [
              ["scheduler.cron_create", { schedule: "* * * * *" }],
              ["scheduler.delay", { delay_seconds: 1 }]
            ] as const
          ) {
            assert.strictEqual(yield* typeOf(one, name, { ...given, capability }), "CapabilityNotFound", capability)
          }
        }
      }), { tiers: { "system.info": "blocked", "scheduler.*": "autonomous" } }))

  it.effect("refuses inputs that do not fit, and what is too long", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const write = { capability: "filesystem.write", inputs: { path: "/workspace/a", content: "" } }
        const wrong: ReadonlyArray<readonly [field: string, given: Arguments]> = [
          ["inputs.content", { ...write, inputs: { path: "/workspace/a" } }],
          ["inputs.more", { ...write, inputs: { ...write.inputs, more: 1 } }],
          ["inputs", { ...write, inputs: { ...write.inputs, content: "a".repeat(65_536) } }],
          ["description", { ...write, description: "a".repeat(1025) }]
        ]
        for (const [field, given] of wrong) {
          const error = yield* errorOf(one, "scheduler.delay", { ...given, delay_seconds: 1 })
          assert.deepStrictEqual([at(error, "type"), at(error, "context", "field")], ["InvalidInput", field])
        }
        for (const delay_seconds of [-1, 0.5, 31_536_001]) {
          assert.strictEqual(yield* typeOf(one, "scheduler.delay", { ...write, delay_seconds }), "InvalidInput")
        }
        yield* one.invoke("scheduler.delay", { ...write, delay_seconds: 31_536_000, description: "a".repeat(1024) })
      })
    ))

  it.effect("lets an agent have 100 jobs", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const two = yield* gateway.as("two")
        for (let job = 0; job < 100; job++) assert.isUndefined(yield* create(one, "0 0 1 1 *"))
        const error = yield* create(one, "0 0 1 1 *")
        assert.strictEqual(at(error, "type"), "ResourceExhausted")
        assert.deepInclude(at(error, "context"), { resource: "cron_jobs", limit: 100 })
        assert.isUndefined(yield* create(two, "0 0 1 1 *"))
        assert.strictEqual(at(yield* one.invoke("scheduler.cron_list"), "total"), 100)
      })
    ))
})

describe("scheduler.cron_list", () => {
  it.effect("has an agent's own jobs, as they were made", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const two = yield* gateway.as("two")
        yield* one.invoke("scheduler.delay", { ...health, delay_seconds: 100 })
        const job = yield* one.invoke("scheduler.cron_create", {
          capability: "state.persistent.set",
          inputs: { key: "a", value: { b: [1, null] } },
          schedule: "0 9 * * 1-5",
          description: "why"
        })
        yield* TestClock.adjust("1 second")
        yield* one.invoke("scheduler.cron_create", { ...health, schedule: "1 1 1 1 1" })
        const listed = yield* one.invoke("scheduler.cron_list")
        assert.deepStrictEqual(at(listed, "jobs", 0), {
          cron_id: at(job, "cron_id"),
          capability: "state.persistent.set",
          inputs: { key: "a", value: { b: [1, null] } },
          schedule: "0 9 * * 1-5",
          next_run: "2026-01-01T09:00:00.000Z",
          description: "why",
          enabled: true,
          created_at: "2026-01-01T00:00:00.000Z"
        })
        assert.deepInclude(at(listed, "jobs", 1), { inputs: null, description: null, schedule: "1 1 1 1 1" })
        assert.strictEqual(at(listed, "total"), 2)
        assert.deepStrictEqual(yield* two.invoke("scheduler.cron_list"), { jobs: [], total: 0 })
      })
    ))
})

describe("scheduler.cron_delete", () => {
  it.effect("deletes nothing that is not there, or is another's", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const two = yield* gateway.as("two")
        const { cron_id } = {
          cron_id: at(yield* one.invoke("scheduler.cron_create", { ...health, schedule: "1 1 1 1 1" }), "cron_id")
        }
        const { delay_id } = {
          delay_id: at(yield* one.invoke("scheduler.delay", { ...health, delay_seconds: 9 }), "delay_id")
        }
        assert.deepStrictEqual(yield* two.invoke("scheduler.cron_delete", { cron_id }), { deleted: false, cron_id })
        for (const id of ["", "none", "a\0b", delay_id]) {
          assert.strictEqual(at(yield* one.invoke("scheduler.cron_delete", { cron_id: id }), "deleted"), false)
        }
        for (const deleted of [true, false]) {
          assert.deepStrictEqual(yield* one.invoke("scheduler.cron_delete", { cron_id }), { deleted, cron_id })
        }
      })
    ))
})

describe("scheduler.delay", () => {
  it.effect("lets so many of an agent wait", () =>
    Effect.gen(function*() {
      const handlers = yield* makeSchedulerHandlers
      const invocation = yield* invocationBy("one")
      const delay = handlers["scheduler.delay"]({ capability: "system.health", delay_seconds: 100 }, invocation)
      for (let waiting = 0; waiting < 3; waiting++) yield* delay
      assert.deepInclude(yield* Effect.flip(delay), {
        _tag: "ResourceExhausted",
        resource: "delayed_invocations",
        limit: 3,
        retryable: true
      })
      yield* handlers["scheduler.delay"]({ capability: "system.health", delay_seconds: 1 }, yield* invocationBy("two"))
    }).pipe(
      Effect.provideService(Directory.Directory, Directory.make(builtIn, builtInProse, Policy.allowAll)),
      Effect.provide(Store.layer({ filename: ":memory:", schedules: { maximumDelays: 3 } })),
      Effect.scoped
    ))
})

it.effect("SchedulerError is what a failure of the store becomes", () =>
  Effect.gen(function*() {
    const schedules = yield* Schedules
    const cause = new SqlError({ cause: new Error("made up"), message: "cannot read /host/path" })
    const broken = Effect.fail(cause)
    const handlers = yield* Effect.provideService(makeSchedulerHandlers, Schedules, {
      ...schedules,
      add: () => broken,
      jobs: () => broken,
      remove: () => broken
    })
    const invocation = yield* invocationBy("one")
    const failed: ReadonlyArray<Effect.Effect<unknown, Told>> = [
      handlers["scheduler.delay"]({ ...health, delay_seconds: 1 }, invocation),
      handlers["scheduler.cron_create"]({ ...health, schedule: "* * * * *" }, invocation),
      handlers["scheduler.cron_list"]({}, invocation),
      handlers["scheduler.cron_delete"]({ cron_id: "a" }, invocation)
    ]
    for (const each of failed) {
      const error = yield* Effect.flip(each)
      assert.deepInclude(error, {
        _tag: "CapabilityUnavailable",
        type: "SchedulerError",
        reason: "SchedulerError",
        cause
      })
      assert.notInclude(error.message, "/host/path")
    }
  }).pipe(
    Effect.provideService(Directory.Directory, Directory.make(builtIn, builtInProse, Policy.allowAll)),
    Effect.provide(Store.layer({ filename: ":memory:" })),
    Effect.scoped
  ))
