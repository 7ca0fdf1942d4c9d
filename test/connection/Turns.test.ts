import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Turns from "../../src/connection/Turns.js"
import { parameters } from "../support/runs.js"
import { settled } from "../support/scriptedGateway.js"

describe("Turns", () => {
  it.effect("lets so many run at a time, and the others in the order in which they came", () =>
    Effect.gen(function*() {
      const turns = Turns.make(2)
      const begun: Array<number> = []
      const gates = yield* Effect.forEach([0, 1, 2, 3, 4], () => Deferred.make<void>())
      const fibers = yield* Effect.forEach(gates, (gate, index) =>
        Effect.fork(turns.run(Effect.zipRight(
          Effect.sync(() => begun.push(index)),
          Deferred.await(gate)
        ))))
      yield* settled
      assert.deepStrictEqual(begun, [0, 1])
      assert.isFalse(turns.isFree())
      for (const gate of gates) {
        yield* Deferred.succeed(gate, undefined)
        yield* settled
      }
      yield* Fiber.joinAll(fibers)
      assert.deepStrictEqual(begun, [0, 1, 2, 3, 4])
      assert.isTrue(turns.isFree())
    }))

  it.effect("lets nobody who comes back at once overtake those who wait", () =>
    Effect.gen(function*() {
      const turns = Turns.make(1)
      const order: Array<string> = []
      const say = (text: string) => turns.run(Effect.zipRight(Effect.yieldNow(), Effect.sync(() => order.push(text))))
      const greedy = yield* Effect.fork(Effect.repeatN(say("greedy"), 4))
      yield* Effect.yieldNow()
      const patient = yield* Effect.fork(say("patient"))
      yield* Fiber.join(greedy)
      yield* Fiber.join(patient)
      assert.deepStrictEqual(order.slice(0, 2), ["greedy", "patient"])
    }))

  it.effect("gives back a turn on failure, defect and interruption", () =>
    Effect.gen(function*() {
      const turns = Turns.make(1)
      yield* Effect.flip(turns.run(Effect.fail("failed")))
      yield* Effect.exit(turns.run(Effect.die("died")))
      const fiber = yield* Effect.fork(turns.run(Effect.never))
      yield* settled
      assert.isFalse(turns.isFree())
      yield* Fiber.interrupt(fiber)
      assert.isTrue(turns.isFree())
    }))

  it.effect("loses no turn to who is interrupted while it lets others run", () =>
    Effect.gen(function*() {
      for (let steps = 0; steps < 12; steps++) {
        for (let turnsOfScheduler = 0; turnsOfScheduler < 10; turnsOfScheduler++) {
          for (const isGiven of [false, true]) {
            const turns = Turns.make(1)
            const holder = yield* Effect.fork(turns.run(Effect.never))
            yield* Effect.yieldNow()
            const waiting = Effect.zipRight(Effect.repeatN(Effect.void, steps), turns.run(Effect.never))
            const waiter = yield* Effect.fork(Effect.withMaxOpsBeforeYield(waiting, 10))
            yield* Effect.repeatN(Effect.yieldNow(), turnsOfScheduler)
            if (isGiven) yield* Fiber.interrupt(holder)
            yield* Fiber.interrupt(waiter)
            yield* Fiber.interrupt(holder)
            assert.isTrue(turns.isFree(), `${steps} steps, ${turnsOfScheduler} turns, ${isGiven}`)
          }
        }
      }
    }))

  it.effect("loses no turn, whoever is interrupted and when", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.integer({ min: 1, max: 3 }),
          FastCheck.array(
            FastCheck.record({ lasts: FastCheck.nat(6), interruptedAfter: FastCheck.option(FastCheck.nat(12)) }),
            {
              maxLength: 12
            }
          ),
          (atATime, callers) =>
            Effect.runPromise(Effect.gen(function*() {
              const turns = Turns.make(atATime)
              let running = 0
              const fibers = yield* Effect.forEach(callers, ({ interruptedAfter, lasts }) =>
                Effect.gen(function*() {
                  const run = Effect.acquireUseRelease(
                    Effect.sync(() => ++running),
                    (now) =>
                      Effect.zipRight(
                        Effect.sync(() => assert.isAtMost(now, atATime)),
                        Effect.repeatN(Effect.yieldNow(), lasts)
                      ),
                    () => Effect.sync(() => --running)
                  )
                  const fiber = yield* Effect.fork(turns.run(run))
                  if (interruptedAfter === null) return yield* Effect.exit(Fiber.join(fiber))
                  yield* Effect.repeatN(Effect.yieldNow(), interruptedAfter)
                  return yield* Fiber.interrupt(fiber)
                }).pipe(Effect.fork))
              yield* Fiber.awaitAll(fibers)
              yield* Effect.all(Array.from({ length: atATime }, () => turns.run(Effect.void)), {
                concurrency: "unbounded"
              })
              assert.strictEqual(running, 0)
              assert.isTrue(turns.isFree())
            }))
        ),
        parameters(500)
      )
    ))
})
