import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import { rolledBack, undone, withGateway } from "./withGateway.js"

describe("the time of a transaction", () => {
  it.effect("is 60 seconds unless told otherwise; when it is up all is rolled back, and the steps that run are stopped", () =>
    withGateway(({ begin, take, things, transactions }) =>
      Effect.gen(function*() {
        const ended: Array<unknown> = []
        yield* transactions.onEnded((one) => void ended.push(one))
        const id = yield* begin()
        yield* take(id, "a=1")
        const running = yield* Effect.fork(take(id, "after b=1"))
        yield* TestClock.adjust("59999 millis")
        expect([...things.values.keys()]).toEqual(["a", "b"])
        yield* TestClock.adjust("1 millis")
        expect(yield* Fiber.join(running)).toMatchObject({ error: { type: "TransactionClosed" } })
        expect(ended).toMatchObject([{ transactionId: id, by: "timeout" }])
        expect(things.values.size).toBe(0)
        expect(yield* transactions.commit("agent", id)).toEqual(rolledBack("TransactionTimeout", 2))
        expect(yield* transactions.rollback("agent", id)).toEqual(undone(2))
      })
    ))

  it.effect("of a savepoint ends the savepoint alone, and that of the transaction around it both", () =>
    withGateway(({ begin, take, things, transactions }) =>
      Effect.gen(function*() {
        const outer = yield* begin({ timeoutSeconds: 100 })
        const short = yield* begin({ parent: outer, timeoutSeconds: 10 })
        const long = yield* begin({ parent: outer })
        yield* take(outer, "a=1")
        yield* take(short, "b=1")
        yield* take(long, "c=1")
        yield* TestClock.adjust("10 seconds")
        expect(yield* transactions.commit("agent", short)).toEqual(rolledBack("TransactionTimeout", 1))
        expect([...things.values.keys()]).toEqual(["a", "c"])
        yield* TestClock.adjust("90 seconds")
        expect(yield* transactions.commit("agent", outer)).toEqual(rolledBack("TransactionTimeout", 2))
        expect(things.values.size).toBe(0)
      })
    ))

  it.effect("stands still while a step waits for approval, also that of the transactions around it", () =>
    withGateway(({ begin, take, things, transactions }) =>
      Effect.gen(function*() {
        const outer = yield* begin({ timeoutSeconds: 20 })
        const inner = yield* begin({ parent: outer, timeoutSeconds: 10 })
        yield* take(inner, "a=1")
        yield* TestClock.adjust("9 seconds")
        yield* transactions.waits(inner, "one")
        yield* transactions.waits(inner, "two")
        yield* TestClock.adjust("1 hour")
        yield* transactions.goesOn(inner, "one")
        yield* transactions.goesOn(inner, "one")
        yield* TestClock.adjust("1 hour")
        expect(things.values.get("a")).toBe("1")
        yield* transactions.goesOn(inner, "two")
        yield* TestClock.adjust("999 millis")
        expect(things.values.get("a")).toBe("1")
        yield* TestClock.adjust("1 millis")
        expect(yield* transactions.commit("agent", inner)).toEqual(rolledBack("TransactionTimeout", 1))
        yield* TestClock.adjust("9999 millis")
        yield* take(outer, "b=1")
        yield* TestClock.adjust("1 millis")
        expect(yield* transactions.commit("agent", outer)).toEqual(rolledBack("TransactionTimeout", 1))
      })
    ))

  it.effect("goes on for the transaction around a savepoint that ends while it waits", () =>
    withGateway(({ begin, take, things, transactions }) =>
      Effect.gen(function*() {
        const outer = yield* begin({ timeoutSeconds: 10 })
        const inner = yield* begin({ parent: outer })
        yield* take(outer, "a=1")
        yield* transactions.waits(inner, "one")
        yield* TestClock.adjust("1 hour")
        yield* transactions.rollback("agent", inner)
        yield* TestClock.adjust("9999 millis")
        expect(things.values.get("a")).toBe("1")
        yield* TestClock.adjust("1 millis")
        expect(yield* transactions.commit("agent", outer)).toEqual(rolledBack("TransactionTimeout", 1))
      })
    ))

  it.effect("that is up while a commit waits for a step makes a rollback of it", () =>
    withGateway(({ begin, take, things, transactions }) =>
      Effect.gen(function*() {
        const id = yield* begin()
        const running = yield* Effect.fork(take(id, "after a=1"))
        yield* TestServices.provideLive(things.waiting("a"))
        const committing = yield* Effect.fork(transactions.commit("agent", id))
        yield* TestClock.adjust("1 minute")
        expect(yield* Fiber.join(committing)).toEqual(rolledBack("TransactionTimeout", 1))
        expect(yield* Fiber.join(running)).toMatchObject({ error: { type: "TransactionClosed" } })
        expect(things.values.size).toBe(0)
      })
    ))
})

describe("a transaction", () => {
  it.effect("is rolled back when a step is not approved; whoever listens is told before anything is undone", () =>
    withGateway(({ begin, take, things, transactions }) =>
      Effect.gen(function*() {
        const ending: Array<string> = []
        yield* transactions.onEnding((id) => Effect.sync(() => void ending.push(`${id} ${things.values.size}`)))
        const outer = yield* begin()
        const id = yield* begin({ parent: outer })
        yield* take(outer, "a=1")
        yield* take(id, "b=1")
        yield* transactions.waits(id, "one")
        yield* transactions.refused(id, "one")
        expect(yield* transactions.commit("agent", id)).toEqual(rolledBack("TransactionClosed", 1))
        expect(ending).toEqual([`${id} 2`])
        expect(yield* transactions.commit("agent", outer)).toEqual({ _tag: "Committed" })
        expect(ending).toEqual([`${id} 2`, `${outer} 1`])
        expect([...things.values.keys()]).toEqual(["a"])
      })
    ))

  it.effect("is rolled back at once when the gateway drains, which waits for it, unless it is being committed", () =>
    withGateway(({ begin, drain, take, things, transactions }) =>
      Effect.gen(function*() {
        const [lost, kept] = [yield* begin(), yield* begin()]
        yield* take(lost, "a=1")
        const running = yield* Effect.fork(take(kept, "after b=1"))
        yield* TestServices.provideLive(things.waiting("b"))
        const committing = yield* Effect.fork(transactions.commit("agent", kept))
        yield* Effect.yieldNow()
        const draining = yield* Effect.fork(drain.drain(Duration.minutes(1)))
        yield* TestClock.adjust("1 second")
        expect([...things.values.keys()]).toEqual(["b"])
        expect(draining.unsafePoll()).toBeNull()
        yield* things.open("b")
        yield* Fiber.join(running)
        expect(yield* Fiber.join(committing)).toEqual({ _tag: "Committed" })
        yield* TestClock.adjust("10 millis")
        yield* Fiber.join(draining)
        const told = yield* transactions.commit("agent", lost)
        expect(told).toMatchObject({ error: { context: { reason: "gateway_stop" } } })
      })
    ))

  it.effect("does not hold up the end of its session for more than 10 seconds, and is undone all the same", () =>
    withGateway(({ begin, endSession, take, things, transactions }) =>
      Effect.gen(function*() {
        const id = yield* begin()
        yield* take(id, "a=1")
        const freed = yield* Deferred.make<void>()
        things.whileUndoing.set("a", Deferred.await(freed))
        const ending = yield* Effect.fork(endSession)
        yield* TestClock.adjust("9 seconds")
        expect(ending.unsafePoll()).toBeNull()
        yield* TestClock.adjust("1 seconds")
        yield* Fiber.join(ending)
        expect(things.values.get("a")).toBe("1")
        yield* Deferred.succeed(freed, undefined)
        expect(yield* transactions.rollback("agent", id)).toEqual(undone(1))
        expect(things.values.size).toBe(0)
      })
    ))

  it.effect("goes on after a commit that has failed, and withdraws what waits for approval each time that it is to end", () =>
    withGateway(({ ask, begin, fail, succeed, transactions }) =>
      Effect.gen(function*() {
        const id = yield* begin()
        const ending: Array<string> = []
        yield* transactions.onEnding((each) => Effect.sync(() => ending.push(each)))
        yield* ask(id)
        yield* TestClock.adjust("10 minutes")
        yield* fail
        yield* Effect.flip(transactions.commit("agent", id))
        yield* succeed
        yield* ask(id)
        yield* Effect.flip(Effect.zipRight(fail, transactions.commit("agent", id)))
        yield* succeed
        expect(ending).toEqual([id, id])
        yield* TestClock.adjust("61 seconds")
        expect(yield* transactions.commit("agent", id)).toEqual(rolledBack("TransactionTimeout", 0))
      })
    ))

  it.effect("whose undoing takes too long is gone on with when it is asked for again", () =>
    withGateway(({ begin, take, things, transactions }) =>
      Effect.gen(function*() {
        const id = yield* begin()
        yield* take(id, "a=1")
        yield* take(id, "b=1")
        things.whileUndoing.set("a", Effect.never)
        const failing = yield* Effect.fork(Effect.flip(transactions.rollback("agent", id)))
        yield* TestClock.adjust("30 seconds")
        expect(yield* Fiber.join(failing)).toMatchObject({ _tag: "ServiceUnavailable", retryable: true })
        expect([...things.values.keys()]).toEqual(["a"])
        expect(yield* take(id, "c=1")).toMatchObject({ error: { type: "TransactionClosed" } })
        things.whileUndoing.clear()
        expect(yield* transactions.commit("agent", id)).toEqual(rolledBack("TransactionClosed", 2))
        expect(things.undone).toEqual(["b=1", "a=1"])
        expect(things.values.size).toBe(0)
      })
    ))
})
