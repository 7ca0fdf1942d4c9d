import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { at, textAt } from "../../support/json.js"
import { type Arguments, type Caller, eventually, type Gateway, settle, withDatabase, withGateway } from "./support.js"

const begin = (caller: Caller, parent?: string) =>
  Effect.map(
    caller.request("transaction.begin", { timeout_seconds: 3600, parent: parent ?? null }),
    (begun) => textAt(begun, "transaction_id")
  )

const commit = (caller: Caller, transaction_id: string) => caller.request("transaction.commit", { transaction_id })

const rollback = (caller: Caller, transaction_id: string) => caller.request("transaction.rollback", { transaction_id })

const received = (caller: Caller, given: Arguments = {}) =>
  Effect.map(caller.invoke("comms.receive", given), (output) => {
    const messages = at(output, "messages")
    return Array.isArray(messages) ? messages.map((message) => String(at(message, "message"))) : []
  })

const jobs = (caller: Caller) =>
  Effect.map(caller.invoke("scheduler.cron_list"), (listed) => {
    const found = at(listed, "jobs")
    return Array.isArray(found) ? found.map((job) => [at(job, "cron_id"), at(job, "enabled")]) : []
  })

const alert = (message: string) => ({ capability: "alerts.send", inputs: { message } })

const atLeast = (gateway: Gateway, count: number) =>
  eventually(`${count} alerts`, Effect.map(gateway.alerts("one"), (found) => found.length >= count))

describe("messages of a transaction", () => {
  it.effect("are nobody's before the commit, and everybody's after it", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const two = yield* gateway.as("two")
        yield* two.invoke("comms.subscribe", { channel: "news" })
        const transaction_id = yield* begin(one)
        const sent = yield* one.invoke("comms.send", { to: "two", message: "a" }, { transaction_id })
        assert.strictEqual(at(sent, "status"), "queued")
        const broadcast = yield* one.invoke("comms.broadcast", { message: "b" }, { transaction_id })
        assert.deepInclude(broadcast, { delivery_count: 1, delivered: 0, queued: 1 })
        yield* one.invoke("comms.send", { to: "#news", message: "c", priority: "high" }, { transaction_id })
        assert.deepStrictEqual(yield* received(two), [])
        yield* commit(one, transaction_id)
        const got = yield* two.invoke("comms.receive", { acknowledge: false })
        assert.strictEqual(at(got, "messages", 1, "message_id"), at(sent, "message_id"))
        assert.deepStrictEqual(yield* received(two), ["c", "a", "b"])
      })
    ))

  it.effect("are dropped by a rollback, and by that of a savepoint", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const two = yield* gateway.as("two")
        const send = (message: string, transaction_id: string) =>
          one.invoke("comms.send", { to: "two", message }, { transaction_id })
        const first = yield* begin(one)
        yield* send("no", first)
        assert.deepStrictEqual(at(yield* rollback(one, first), "rolled_back"), ["comms.send"])
        const second = yield* begin(one)
        yield* send("yes", second)
        const inner = yield* begin(one, second)
        yield* send("no", inner)
        yield* rollback(one, inner)
        const merged = yield* begin(one, second)
        yield* send("merged", merged)
        yield* commit(one, merged)
        assert.deepStrictEqual(yield* received(two), [])
        yield* commit(one, second)
        assert.deepStrictEqual(yield* received(two), ["yes", "merged"])
      })
    ))

  it.effect("go with the gateway that is stopped before the commit", () =>
    withDatabase((start) =>
      Effect.gen(function*() {
        const first = yield* start()
        const one = yield* first.as("one")
        yield* first.as("two")
        const transaction_id = yield* begin(one)
        yield* one.invoke("comms.send", { to: "two", message: "no" }, { transaction_id })
        yield* first.stop
        const second = yield* start()
        assert.deepStrictEqual(yield* received(yield* second.as("two")), [])
      })
    ))

  it.effect("a subscription ends with a rollback, and stays with a commit", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        for (const [end, found] of [[rollback, false], [commit, true]] as const) {
          const transaction_id = yield* begin(one)
          yield* one.invoke("comms.subscribe", { channel: "news" }, { transaction_id })
          yield* end(one, transaction_id)
          const answer = yield* one.answer("comms.send", { to: "#news", message: "" })
          assert.strictEqual(at(answer, "success"), found)
        }
      })
    ))
})

describe("what a transaction schedules", () => {
  it.effect("does not run before the commit, and runs then where it is overdue", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const transaction_id = yield* begin(one)
        yield* one.invoke("scheduler.delay", { ...alert("delay"), delay_seconds: 5 }, { transaction_id })
        const job = yield* one.invoke(
          "scheduler.cron_create",
          { ...alert("cron"), schedule: "* * * * *" },
          { transaction_id }
        )
        assert.deepStrictEqual(yield* jobs(one), [[at(job, "cron_id"), false]])
        yield* settle
        yield* TestClock.adjust("30 seconds")
        yield* settle
        assert.deepStrictEqual(yield* gateway.alerts("one"), [])
        yield* commit(one, transaction_id)
        yield* atLeast(gateway, 1)
        assert.deepStrictEqual(yield* jobs(one), [[at(job, "cron_id"), true]])
        yield* settle
        yield* TestClock.adjust("30 seconds")
        yield* atLeast(gateway, 2)
        assert.deepStrictEqual(yield* gateway.alerts("one"), ["delay", "cron"])
      })
    ))

  it.effect("never runs where it is rolled back", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const transaction_id = yield* begin(one)
        yield* one.invoke("scheduler.delay", { ...alert("delay"), delay_seconds: 5 }, { transaction_id })
        yield* one.invoke("scheduler.cron_create", { ...alert("cron"), schedule: "* * * * *" }, { transaction_id })
        assert.deepStrictEqual(at(yield* rollback(one, transaction_id), "rolled_back"), [
          "scheduler.cron_create",
          "scheduler.delay"
        ])
        assert.deepStrictEqual(yield* jobs(one), [])
        yield* settle
        yield* TestClock.adjust("2 minutes")
        yield* settle
        assert.deepStrictEqual(yield* gateway.alerts("one"), [])
      })
    ))

  it.effect("a job that is deleted rests until the end, and is gone with the commit or there with the rollback", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const job = yield* one.invoke("scheduler.cron_create", { ...alert("cron"), schedule: "* * * * *" })
        const given = { cron_id: at(job, "cron_id") }
        const first = yield* begin(one)
        yield* one.invoke("scheduler.cron_delete", given, { transaction_id: first })
        assert.deepStrictEqual(yield* jobs(one), [[given.cron_id, false]])
        assert.strictEqual(at(yield* one.invoke("scheduler.cron_delete", given), "deleted"), false)
        yield* settle
        yield* TestClock.adjust("1 minute")
        yield* settle
        assert.deepStrictEqual(yield* gateway.alerts("one"), [])
        yield* rollback(one, first)
        yield* atLeast(gateway, 1)
        const second = yield* begin(one)
        yield* one.invoke("scheduler.cron_delete", given, { transaction_id: second })
        yield* commit(one, second)
        assert.deepStrictEqual(yield* jobs(one), [])
        yield* settle
        yield* TestClock.adjust("2 minutes")
        yield* settle
        assert.deepStrictEqual(yield* gateway.alerts("one"), ["cron"])
      })
    ))

  it.effect("what is made and deleted in one transaction never was", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        for (const end of [commit, rollback]) {
          const transaction_id = yield* begin(one)
          const job = yield* one.invoke(
            "scheduler.cron_create",
            { ...alert("cron"), schedule: "* * * * *" },
            { transaction_id }
          )
          yield* one.invoke("scheduler.cron_delete", { cron_id: at(job, "cron_id") }, { transaction_id })
          yield* end(one, transaction_id)
          assert.deepStrictEqual(yield* jobs(one), [])
        }
      })
    ))
})
