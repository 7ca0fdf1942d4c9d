import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { at, textAt } from "../../support/json.js"
import { eventually, type Gateway, settle, withDatabase } from "./support.js"

const inStore = (gateway: Gateway, statement: string) =>
  gateway.run(Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)))

const textsFor = (gateway: Gateway, name: string) =>
  Effect.gen(function*() {
    const caller = yield* gateway.as(name)
    const output = yield* caller.invoke("comms.receive", { acknowledge: false })
    const messages = at(output, "messages")
    return Array.isArray(messages) ? messages.map((message) => String(at(message, "message"))) : []
  })

/** A transaction that has sent messages and delayed an invocation, and is committed while the store cannot take them. */
const committed = (gateway: Gateway) =>
  Effect.gen(function*() {
    const one = yield* gateway.as("one")
    yield* gateway.as("two")
    const transaction_id = textAt(yield* one.request("transaction.begin", { timeout_seconds: 3600 }), "transaction_id")
    yield* one.invoke("comms.send", { to: "two", message: "a" }, { transaction_id })
    yield* one.invoke("comms.send", { to: "two", message: "b" }, { transaction_id })
    yield* one.invoke(
      "scheduler.delay",
      { capability: "alerts.send", inputs: { message: "later" }, delay_seconds: 0 },
      { transaction_id }
    )
    yield* inStore(
      gateway,
      "CREATE TRIGGER no_messages BEFORE INSERT ON inbox_messages BEGIN SELECT RAISE(ABORT, 'not now'); END"
    )
    yield* inStore(
      gateway,
      "CREATE TRIGGER no_schedules BEFORE UPDATE OF created_in ON schedules BEGIN SELECT RAISE(ABORT, 'not now'); END"
    )
    const committing = yield* Effect.fork(one.request("transaction.commit", { transaction_id }))
    // It is tried for three seconds for each of the steps.
    for (let second = 0; second < 12; second++) {
      yield* settle
      yield* TestClock.adjust("1 second")
    }
    yield* Fiber.join(committing)
    assert.deepStrictEqual(yield* textsFor(gateway, "two"), [])
    assert.deepStrictEqual(yield* gateway.alerts("one"), [])
    yield* inStore(gateway, "DROP TRIGGER no_messages")
    yield* inStore(gateway, "DROP TRIGGER no_schedules")
  })

const arrived = (gateway: Gateway) =>
  Effect.gen(function*() {
    yield* eventually("the messages", Effect.map(textsFor(gateway, "two"), (texts) => texts.length === 2))
    assert.deepStrictEqual(yield* textsFor(gateway, "two"), ["a", "b"])
    yield* eventually("the delayed alert", Effect.map(gateway.alerts("one"), (found) => found.includes("later")))
  })

describe("what a committed transaction has held, where the store fails when it is let go", () => {
  it.effect("is let go when the store answers again", () =>
    withDatabase((start) =>
      Effect.gen(function*() {
        const gateway = yield* start()
        yield* committed(gateway)
        yield* settle
        yield* TestClock.adjust("30 seconds")
        yield* arrived(gateway)
        yield* TestClock.adjust("2 minutes")
        yield* settle
        assert.deepStrictEqual(yield* textsFor(gateway, "two"), ["a", "b"])
      })
    ))

  it.effect("is let go by the next gateway where this one ends before", () =>
    withDatabase((start) =>
      Effect.gen(function*() {
        const first = yield* start()
        yield* committed(first)
        yield* first.stop
        yield* arrived(yield* start())
      })
    ))
})
