import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { at } from "../../support/json.js"
import { withGateway } from "./withGateway.js"

// Every fiber gives way after a few operations, of a number that changes, so that whatever can come in between does.
const interleaved = <A, E, R>(effect: Effect.Effect<A, E, R>, offset: number) =>
  Effect.withMaxOpsBeforeYield(effect, 12 + offset % 11)

const offsets = Array.from({ length: 40 }, (_, index) => index * 2)

/** Runs one effect, and another one a little later. */
const together = <A, E, B, E2>(one: Effect.Effect<A, E>, offset: number, other: Effect.Effect<B, E2>) =>
  interleaved(
    Effect.gen(function*() {
      const first = yield* Effect.fork(Effect.exit(one))
      for (let turn = 0; turn < offset; turn++) yield* Effect.yieldNow()
      const second = yield* Effect.exit(other)
      return [yield* Fiber.join(first), second] as const
    }),
    offset
  )

const how = ["commit", "rollback"] as const

describe("at any moment of the end of a transaction", () => {
  for (const each of how) {
    it.effect(`a savepoint that is begun ends with it (${each})`, () =>
      withGateway(({ begin, transactions }) =>
        Effect.forEach(offsets, (offset) =>
          Effect.gen(function*() {
            const outer = yield* begin()
            const [begun, ended] = yield* together(
              begin({ parent: outer }),
              offset,
              Effect.asVoid<unknown, unknown, never>(transactions[each]("agent", outer))
            )
            expect(Exit.isSuccess(ended)).toBe(true)
            if (Exit.isFailure(begun)) return
            expect(yield* transactions.commit("agent", begun.value)).toMatchObject({ _tag: "RolledBack" })
          }), { discard: true })
      ))

    it.effect(`a step is one of it, or not made (${each})`, () =>
      withGateway(({ begin, take, things, transactions }) =>
        Effect.forEach(offsets, (offset) =>
          Effect.gen(function*() {
            const name = `n${offset}`
            const id = yield* begin()
            const ending = Effect.map(
              Effect.asVoid<unknown, unknown, never>(transactions[each]("agent", id)),
              () => things.values.has(name)
            )
            const [taken, ended] = yield* together(take(id, `${name}=1`), offset, ending)
            const isDone = Exit.isSuccess(taken) && at(taken.value, "success") === true
            expect(ended).toEqual(Exit.succeed(each === "commit" && isDone))
            expect(things.values.has(name)).toBe(each === "commit" && isDone)
          }), { discard: true })
      ))
  }

  it.effect("what only its caller can undo is told of if it has begun, and not otherwise", () =>
    withGateway(({ begin, take, things, transactions }) =>
      Effect.forEach(offsets, (offset) =>
        Effect.gen(function*() {
          const name = `n${offset}`
          const id = yield* begin()
          const [, report] = yield* together(
            take(id, `${name}=1`, { compensated: true }),
            offset,
            transactions.rollback("agent", id)
          )
          expect(Exit.map(report, ({ notReversible }) => notReversible.length))
            .toEqual(Exit.succeed(things.values.has(name) ? 1 : 0))
        }), { discard: true })
    ))

  it.effect(
    "savepoints have no more steps together than one transaction may",
    () =>
      withGateway(({ begin, take, transactions }) =>
        Effect.gen(function*() {
          const outer = yield* begin({ timeoutSeconds: 3600 })
          const first = yield* begin({ parent: outer })
          for (let count = 1; count <= 600; count++) yield* take(first, `a=${count}`)
          yield* transactions.commit("agent", first)
          const second = yield* begin({ parent: outer })
          for (let count = 1; count <= 400; count++) yield* take(second, `a=${count}`)
          expect(at(yield* take(second, "a=none"), "error", "type")).toBe("ResourceExhausted")
          expect(at(yield* take(outer, "a=none"), "error", "type")).toBe("ResourceExhausted")
          // What is undone counts no more.
          yield* transactions.rollback("agent", second)
          expect(at(yield* take(outer, "a=601"), "success")).toBe(true)
        })
      ),
    60_000
  )
})
