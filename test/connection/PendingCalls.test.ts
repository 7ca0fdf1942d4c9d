import * as FastCheck from "effect/FastCheck"
import { assert, expect, it } from "vitest"
import { PendingCalls } from "../../src/connection/PendingCalls.js"
import { parameters } from "../support/runs.js"

class Waiting {
  id: number | undefined = undefined
}

const step = FastCheck.oneof(
  { weight: 6, arbitrary: FastCheck.record({ _tag: FastCheck.constant("add"), count: FastCheck.nat(100) }) },
  { weight: 4, arbitrary: FastCheck.record({ _tag: FastCheck.constant("take"), count: FastCheck.nat(200) }) },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("skip"), count: FastCheck.nat(3) }) }
)

it("holds what a Map would hold, under ids that are given once and grow", () => {
  FastCheck.assert(
    FastCheck.property(FastCheck.array(step, { maxLength: 30 }), FastCheck.nat(5), (steps, kept) => {
      const pending = new PendingCalls<Waiting>()
      const model = new Map<number, Waiting>()
      let last = 0
      for (const { _tag, count } of steps) {
        if (_tag === "add") {
          for (let index = 0; index < count; index++) {
            const call = new Waiting()
            const id = pending.add(call)
            assert(id > last && call.id === id)
            last = id
            model.set(id, call)
          }
        } else if (_tag === "skip") {
          const id = pending.skip()
          assert(id > last)
          last = id
        } else {
          // Some wait long, so that ids come round to the slots of others.
          for (const [id, call] of [...model].slice(kept, kept + count)) {
            assert(pending.take(id) === call)
            assert(pending.take(id) === undefined)
            model.delete(id)
          }
        }
        assert.deepStrictEqual<ReadonlyArray<Waiting>>(pending.oldestFirst(), [...model.values()])
      }
    }),
    parameters(500)
  )
})

it.each([
  0,
  -0,
  -1,
  1.5,
  65,
  1 + 64 * 1024,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 60,
  "1",
  "length",
  null,
  undefined,
  {}
])(
  "has nothing under an id that it did not give: %s",
  (id) => {
    const pending = new PendingCalls<Waiting>()
    const call = new Waiting()
    expect(pending.add(call)).toBe(1)
    expect(pending.take(id)).toBeUndefined()
    expect(pending.take(1)).toBe(call)
  }
)
